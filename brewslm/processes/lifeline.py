"""A child must not outlive its parent, however the parent dies."""

import os
import signal
import threading


def hold() -> tuple[int, int]:
    """A pipe: the parent keeps the write end open for as long as it lives, the child watches the read end.

    Returns:
        (read end, which the child inherits; write end, which it must not).
    """
    read, write = os.pipe()
    os.set_inheritable(read, True)
    return read, write


def watch(read_end: int) -> None:
    """In the child: kill the whole process group at end of file, which the kernel sends when the parent is gone."""

    def wait() -> None:
        os.read(read_end, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True, name="lifeline").start()
