"""A foreign program that must not outlive us: it knows nothing of our lifeline, so a small parent of our own watches it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from brewslm.processes import lifeline
from brewslm.processes.child import end_group

SIGNALLED = 128
"""Added to the number of the signal that ended a program, as a shell does."""


class Guarded:
    """A program that runs in a process group of its own, and is killed with all it started when this process dies.

    Args:
        command: The program and its arguments.
        variables: Its whole environment.
        log: Gets what it prints, after what is there.
    """

    def __init__(self, command: list[str], variables: Mapping[str, str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log, self._written_before = log, log.stat().st_size if log.exists() else 0
        read_end, self._write_end = lifeline.hold()
        try:
            with log.open("ab") as output:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "brewslm.processes.guard", str(read_end)], stdin=subprocess.PIPE, stdout=output,
                    stderr=output, pass_fds=[read_end], start_new_session=True,
                )  # fmt: skip
        finally:
            os.close(read_end)
        self._closed = False
        with self.process.stdin as asked:  # type: ignore[union-attr]
            asked.write(json.dumps({"command": command, "variables": dict(variables)}).encode())

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within this time; its status is then `process.returncode`."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, grace_seconds: float | None = None) -> None:
        """End it and all that it started, by SIGKILL after the grace; a second call does nothing."""
        if not self._closed:
            self._closed = True
            end_group(self.process, grace_seconds)
            os.close(self._write_end)

    def said(self) -> list[str]:
        """The lines that it has printed, without empty ones."""
        with self._log.open("rb") as file:
            file.seek(self._written_before)
            lines = (line.strip() for line in file.read().decode(errors="replace").splitlines())
            return [line for line in lines if line]


def main() -> int:
    """`python -m brewslm.processes.guard <lifeline's read end>`: the command and its variables come on standard input."""
    lifeline.watch(int(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: None)  # the whole group gets it, and we stay until the program has ended
    asked = json.load(sys.stdin)
    process = subprocess.Popen(asked["command"], env=asked["variables"], stdin=subprocess.DEVNULL)
    status = process.wait()
    _end_the_rest()
    return status if status >= 0 else SIGNALLED - status


def _end_the_rest() -> None:
    """What the program left running, such as an engine of vLLM after its server was killed."""
    group = os.getpgid(0)
    for other in psutil.pids():
        try:
            if other != os.getpid() and os.getpgid(other) == group:
                os.kill(other, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


if __name__ == "__main__":
    sys.exit(main())
