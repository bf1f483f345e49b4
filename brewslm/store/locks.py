"""Kernel locks: freed by the kernel when their holder dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROBE_SECONDS = 0.002
"""Between two tries for a lock that somebody only looks at: `is_held` shares it for as long as its process is kept waiting."""


class Held(Exception):
    """Another process holds the lock."""


@contextmanager
def lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on a file for the block.

    Raises:
        Held: `wait` is false and somebody else holds it.
    """
    descriptor = _opened(path, os.O_RDWR)
    try:
        if wait:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path, how: int) -> int:
    how |= os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, how, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, how, 0o600)


def _take(descriptor: int, path: Path) -> None:
    """Whoever looks shares the lock for a moment, and with him it can be shared; with a holder it can't."""
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not _shares(descriptor):
                raise Held(path.name) from None
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            time.sleep(PROBE_SECONDS)


def _shares(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a lock on a file for the block together with others: see `is_taken`. It may wait for microseconds."""
    descriptor = _opened(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_taken(path: Path) -> bool:
    """Whether some process holds the lock now, alone or together with others."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock now. Two that ask at once do not see each other."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _shares(descriptor)
    finally:
        os.close(descriptor)
