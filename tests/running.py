"""Real processes of ours for tests: a server, a worker; and how to wait for what they do."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psutil

T = TypeVar("T")
ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 120.0
"""How long what must come may take on a machine that is busy with other things. Where it comes, nobody waits so long."""


def until(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something to see."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come about in {seconds:.0f} s")


@dataclass
class Ours:
    """A process of ours, with whatever it started."""

    process: subprocess.Popen[bytes]
    log: Path

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> list[psutil.Process]:
        """kill -9; returns what it had started, for a test to see it die."""
        started = self.descendants()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)
        return started


@dataclass
class Server(Ours):
    """`brewslm serve` on a port of its own."""

    url: str = ""

    def get(self, path: str) -> Any:
        return httpx2.get(self.url + path, timeout=PATIENCE_SECONDS).raise_for_status().json()

    def post(self, path: str, **arguments: Any) -> Any:
        return httpx2.post(self.url + path, timeout=PATIENCE_SECONDS, **arguments).raise_for_status().json()

    def ended(self, task_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The task, once it has come to an end."""

        def look() -> dict[str, Any] | None:
            task: dict[str, Any] = self.get(f"/api/tasks/{task_id}")
            return task if task["state"] in ("succeeded", "failed", "cancelled") else None

        return until(look, f"the end of {task_id}", seconds)


@contextmanager
def ours(arguments: list[str], log: Path) -> Iterator[Ours]:
    """Run a command of ours; what is left of it at the end of the block is killed."""
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, "-m", "brewslm.cli.main", *arguments], stdout=file, stderr=file)
    running = Ours(process, log)
    try:
        yield running
    finally:
        if process.poll() is None:
            running.kill()


@contextmanager
def server(home: Path, command: str = "serve", port: str = "0") -> Iterator[Server]:
    """A server of this home that answers, or a gateway. The kernel chooses its port: one chosen before could be taken by then.

    Args:
        port: That of a server which was killed, to begin again where it was.
    """
    home.mkdir(parents=True, exist_ok=True)
    log = home / f"{command}.log"
    before = log.stat().st_size if log.exists() else 0
    with ours([command, "--port", port], log) as running:

        def url() -> str:
            said = running.log.read_bytes()[before:].decode()
            assert running.process.poll() is None, said
            return next((line for line in said.splitlines(keepends=True) if re.fullmatch(r"http://127\.0\.0\.1:\d+\n", line)), "")

        made = Server(running.process, running.log, until(url, "the server's address").strip())

        def answers() -> bool:
            assert running.process.poll() is None, running.log.read_text()
            try:
                return httpx2.get(made.url + "/api/health", timeout=5).status_code == 200
            except httpx2.TransportError:
                return False

        until(answers, "the server's first answer")
        yield made


@contextmanager
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, nor will while the block lasts: it is bound, so that the kernel gives it to no one else."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def working_here(name: str = "main") -> Iterator[None]:
    """A worker in this process, whose last run has ended at the end of the block: it must not meet the next test's home."""
    from dbos._dbos import _get_dbos_instance

    from brewslm.pipeline.worker import working

    with ExitStack() as after, working(name):
        after.callback(_get_dbos_instance()._executor.shutdown, wait=True)
        yield


@dataclass(frozen=True)
class Hold:
    """Work that stops, once, where a test wants to kill it or to look at it: see tests/hold_path."""

    file: Path

    def reached(self) -> None:
        until(self.file.exists, "the moment at which the work is held")

    def let_go(self) -> None:
        Path(f"{self.file}.go").touch()


def hold(monkeypatch: Any, folder: Path, unit: str, at: int) -> Hold:
    """Have the first process that is started from now on, and has so many units done, stop there."""
    made = Hold(folder / "held")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests' / 'hold_path'}{os.pathsep}{ROOT}")
    monkeypatch.setenv("BREWSLM_TEST_HOLD", f"{unit}:{at}:{made.file}")
    return made


def gone(processes: list[psutil.Process]) -> None:
    """Each of them ends by itself. A zombie has ended: it waits for whoever adopted it, which is not our affair."""
    until(lambda: not any(map(alive, processes)), "the end of what a killed process had started")


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def environment_allows(monkeypatch: Any, *folders: Path) -> None:
    """Let the server's API read these folders."""
    monkeypatch.setenv("BREWSLM_API_FOLDERS", str([str(folder) for folder in folders]).replace("'", '"'))
    os.environ.pop("BREWSLM_DATABASE_URL", None)
