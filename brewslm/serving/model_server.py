"""A model server: a child process that serves one model on a loopback port. Here too: llama.cpp's own server as such a child."""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from brewslm.processes import lifeline
from brewslm.processes.child import end_group
from brewslm.serving.endpoints import Endpoint
from brewslm.settings import settings

CONTEXT = 8192
"""Tokens that all running requests share; a longer model context is cut to it."""
PARALLEL = 4
READY_SECONDS = 120.0
POLL_SECONDS = 0.05
PROMPT_CACHE_MIB = 512
"""llama.cpp's own default is 8 GB."""
HTTP_THREADS = 256
"""By itself llama.cpp takes two more than it has parallel slots: then /health and /slots wait behind the streams that run."""
LLAMA = "brewslm.serving.model_server"
_NUMBERS = itertools.count(1)


class ModelServerFailed(Exception):
    """A model server ended, or was not ready in time. Its last words are the message."""


class ModelServer:
    """A running child. It dies with this process, however this process dies.

    Args:
        module: What the child runs, as `python -m module <options as JSON> <file for its address> <lifeline's read end>`.
        options: For it; "model" is the name that it answers to.
        log: File that gets what it prints.
        chat, rows: What it answers, as in `Endpoint`.
    """

    def __init__(
        self, module: str, options: dict[str, Any], model: str, log: Path, *, chat: bool = True, rows: bool = False
    ) -> None:  # fmt: skip
        self.model, self._log, self._chat, self._rows = model, log, chat, rows
        log.parent.mkdir(parents=True, exist_ok=True)
        self._written_before = log.stat().st_size if log.exists() else 0
        self._said_address = log.with_suffix(".address")
        self._said_address.unlink(missing_ok=True)
        read_end, self._write_end = lifeline.hold()
        command = [sys.executable, "-m", module, json.dumps(options), str(self._said_address), str(read_end)]
        try:
            with log.open("ab") as output:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[read_end], start_new_session=True
                )
        finally:
            os.close(read_end)
        self._closed = False

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it lives."""
        return self.process.poll()

    def endpoint(self) -> Endpoint | None:
        """Where it listens; None until its model is loaded.

        Raises:
            ModelServerFailed: It has ended.
        """
        if self.process.poll() is not None:
            raise ModelServerFailed(self._last_words())
        if not self._said_address.exists():
            return None
        address = self._said_address.read_text()
        if not healthy(address):
            return None
        return Endpoint(
            base_url=f"{address}/v1", model=self.model, pid=self.process.pid, chat=self._chat, rows=self._rows
        )  # fmt: skip

    def wait_ready(self, seconds: float = READY_SECONDS) -> Endpoint:
        """Its endpoint, once it answers.

        Raises:
            ModelServerFailed: It ended, or the time is over.
        """
        until = time.monotonic() + seconds
        while (found := self.endpoint()) is None:
            if time.monotonic() > until:
                raise ModelServerFailed(f"it was not ready after {seconds:.0f} s")
            time.sleep(POLL_SECONDS)
        return found

    def stop(self) -> None:
        """End it; a second call does nothing."""
        if not self._closed:
            self._closed = True
            end_group(self.process)
            os.close(self._write_end)
            self._said_address.unlink(missing_ok=True)

    def _last_words(self) -> str:
        with self._log.open("rb") as file:
            file.seek(self._written_before)
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        return f"it ended with status {self.process.returncode}" + (f"; last it said: {lines[-1][:200]}" if lines else "")


def healthy(address: str) -> bool:
    """Whether the server at `http://host:port` says that it is ready."""
    import httpx2

    try:
        return httpx2.get(f"{address}/health", timeout=2.0).status_code == 200
    except httpx2.TransportError:
        return False


def busy_slots(address: str) -> int | None:
    """How many requests it works on now; None when it can't be asked."""
    import httpx2

    try:
        slots: list[dict[str, Any]] = httpx2.get(f"{address}/slots", timeout=2.0).json()
    except (httpx2.TransportError, ValueError):
        return None
    return sum(bool(slot["is_processing"]) for slot in slots)


@contextmanager
def serve_model(gguf: Path, model: str = "model") -> Iterator[Endpoint]:
    """llama.cpp's server on a GGUF file, for the block alone.

    Raises:
        ModelServerFailed: It could not start.
    """
    server = ModelServer(LLAMA, {"gguf": str(gguf), "model": model}, model, temporary_log())
    try:
        yield server.wait_ready()
    finally:
        server.stop()


def temporary_log() -> Path:
    """A file for what a server prints that is kept by nobody but this process."""
    return settings().home / "serving" / "logs" / f"temporary-{os.getpid()}-{next(_NUMBERS)}.log"


def said_options() -> tuple[dict[str, Any], Path]:
    """In the child: its options, and the file for its address. From here on it dies with its parent."""
    options, address_file, read_end = sys.argv[1:4]
    lifeline.watch(int(read_end))
    return json.loads(options), Path(address_file)


def pin(computing: Any, threads: int) -> None:
    """Give each computing thread a core of its own, where there are as many threads as cores.

    They wait for each other some hundred times a token. Left to the scheduler, whatever else runs for a moment (the gateway, at
    each token) pushes one of them to the other's core, where the two take turns until they are spread again.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if threads == len(cores):
        computing.cpumask = [core in cores for core in range(len(computing.cpumask))]
        computing.mask_valid = computing.strict_cpu = True


def main() -> None:
    """The child that serves a GGUF file."""
    options, address_file = said_options()
    import threading

    from brewslm.models.loading import thread_count, yield_when_waiting

    yield_when_waiting()
    import xllamacpp

    from brewslm.store.files import write_atomic

    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = options["gguf"], {options["model"]}
    params.hostnames, params.port, params.ui = ["127.0.0.1"], options.get("port", 0), False
    params.n_ctx, params.n_parallel, params.kv_unified = options.get("context", CONTEXT), options.get("parallel", PARALLEL), True
    params.n_threads_http = HTTP_THREADS
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = thread_count()
    for computing in (params.cpuparams, params.cpuparams_batch):
        pin(computing, thread_count())
    server = xllamacpp.Server(params)
    write_atomic(address_file, server.listening_address.encode())
    threading.Event().wait()


if __name__ == "__main__":
    main()
