"""Real processes of ours for tests: a server, a worker; and how to wait for what they do."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import psutil

T = TypeVar("T")
PATIENCE_SECONDS = 120.0


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
        self.process.wait(10)
        return started


@dataclass
class Server(Ours):
    """`brewslm serve` on a port of its own."""

    url: str = ""

    def get(self, path: str) -> Any:
        return httpx2.get(self.url + path, timeout=30).raise_for_status().json()

    def post(self, path: str, **arguments: Any) -> Any:
        return httpx2.post(self.url + path, timeout=60, **arguments).raise_for_status().json()

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
def server(home: Path) -> Iterator[Server]:
    """A server of this home that answers."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with ours(["serve", "--port", str(port)], home / "serve.log") as running:
        made = Server(running.process, running.log, f"http://127.0.0.1:{port}")

        def answers() -> bool:
            assert running.process.poll() is None, running.log.read_text()
            try:
                return httpx2.get(made.url + "/api/health", timeout=5).status_code == 200
            except httpx2.TransportError:
                return False

        until(answers, "the server's first answer")
        yield made


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def gone(processes: list[psutil.Process]) -> None:
    """Each of them ends by itself. A zombie has ended: it waits for whoever adopted it, which is not our affair."""
    until(lambda: not any(map(alive, processes)), "the end of what a killed process had started", 10)


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def environment_allows(monkeypatch: Any, *folders: Path) -> None:
    """Let the server's API read these folders."""
    monkeypatch.setenv("BREWSLM_API_FOLDERS", str([str(folder) for folder in folders]).replace("'", '"'))
    os.environ.pop("BREWSLM_DATABASE_URL", None)
