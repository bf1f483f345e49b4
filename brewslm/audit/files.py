"""The spine's own files in a home: lines that are appended whole and synced."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from brewslm.settings import settings
from brewslm.store.files import sync_folder, write_all
from brewslm.store.locks import Held, lock

WAIT_SECONDS = 1.0
"""The longest wait for a file's lock: whoever holds it syncs a few lines."""


def folder(home: Path | None = None) -> Path:
    """Where they are: in this home, unless another is named."""
    return (home or settings().home) / "audit"


@contextmanager
def waited_lock(name: str) -> Iterator[None]:
    """A lock of the home, waited for in bounds.

    Raises:
        Held: Somebody else has it for longer.
    """
    until = time.monotonic() + WAIT_SECONDS
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(lock(settings().home / "locks" / name, wait=False))
                break
            except Held:
                if time.monotonic() > until:
                    raise
        yield


def append_lines(path: Path, lines: bytes) -> None:
    """Append whole lines and sync them, or leave the file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"  # by a kill in mid-write
        try:
            write_all(file, b"\n" * torn + lines)
            os.fsync(file.fileno())
        except OSError:
            os.ftruncate(file.fileno(), size)
            if is_new:
                path.unlink()
            raise
    if is_new:
        sync_folder(path.parent)
