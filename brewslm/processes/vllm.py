"""A vLLM server from its toolchain: an OpenAI-compatible address on this machine, as a child that dies with us."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from brewslm.processes.guard import Guarded
from brewslm.processes.toolchains import environment, required
from brewslm.settings import settings
from brewslm.store.files import read_json

TOOLCHAIN = "vllm"
MODULE = "vllm.entrypoints.openai.api_server"
"""Its command `vllm` fails in the package for processors: it asks for the metadata of a package of that very name."""
CONTEXT = 8192
"""Tokens of the longest request, where the model's own context is longer."""
READY_SECONDS, STOP_SECONDS, POLL_SECONDS = 900.0, 10.0, 0.1
"""It was ready in 18 s on quiet cores; beside other work it may take many times that."""
LOOPBACK = "127.0.0.1"


class VllmFailed(Exception):
    """A vLLM server ended, or was not ready in time. Its last words are the message."""


def context_of(model: Path) -> int:
    """Tokens that a request of this model may have: its own context, at most `CONTEXT`."""
    return min(CONTEXT, int(read_json(model / "config.json").get("max_position_embeddings", CONTEXT)))


def vllm_flags(
    name: str, max_model_len: int, *, adapter: tuple[str, str, int] | None = None, dtype: str = "bfloat16"
) -> list[str]:
    """What vLLM is told of a model, wherever it runs: a bundle's launch line has the same.

    Args:
        name: What it answers to.
        adapter: Its name, its folder and its rank, where the model is a base and the adapter is put beside it.
    """
    flags = ["--served-model-name", name, "--dtype", dtype, "--max-model-len", str(max_model_len), "--enforce-eager"]
    if adapter:
        called, folder, rank = adapter
        flags += ["--enable-lora", "--lora-modules", f"{called}={folder}", "--max-lora-rank", str(_lora_rank(rank))]
    return flags


def _lora_rank(rank: int) -> int:
    """The least that vLLM takes and that holds the adapter's."""
    return next(size for size in (8, 16, 32, 64, 128, 256, 320, 512) if size >= rank)


class VllmServer:
    """A running server.

    Attributes:
        name: What it answers to.
        base_url: Up to and with "/v1".
    """

    def __init__(self, program: Guarded, name: str, port: int) -> None:
        self._program, self.name = program, name
        self._address = f"http://{LOOPBACK}:{port}"
        self.base_url = f"{self._address}/v1"

    @property
    def pid(self) -> int:
        """Of its guard, which leads its process group."""
        return self._program.process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        status: int | None = self._program.process.poll()
        return status

    def alive(self) -> bool:
        """Whether its process is there."""
        return self.returncode is None

    def ready(self) -> bool:
        """Whether it answers."""
        import httpx2

        try:
            return httpx2.get(f"{self._address}/health", timeout=2.0).status_code == 200
        except httpx2.TransportError:
            return False

    def wait_ready(self, seconds: float = READY_SECONDS, check: Callable[[], None] = lambda: None) -> None:
        """Wait until it answers.

        Args:
            check: Called ten times a second; it may raise to stop the wait.

        Raises:
            VllmFailed: It ended, or the time is over.
        """
        until = time.monotonic() + seconds
        while not self.ready():
            if not self.alive():
                raise VllmFailed(self.last_words())
            if time.monotonic() > until:
                raise VllmFailed(f"it was not ready after {seconds:.0f} s")
            check()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End it and its engine; a second call does nothing."""
        self._program.stop(STOP_SECONDS)

    def last_words(self) -> str:
        """Its status, and what it last said of an error."""
        said = self._program.said()
        errors = [line for line in said if "Error" in line and "See root cause above" not in line]
        last = (errors or said or ["nothing"])[-1]
        return f"it ended with status {self.returncode}; last it said: {last[-300:]}"


def serve_vllm(
    model: Path, log: Path, *, name: str, port: int = 0, adapter: Path | None = None, max_model_len: int | None = None,
    threads: int = 0,
) -> VllmServer:  # fmt: skip
    """Start a server, and don't wait for it.

    Args:
        model: A folder that transformers loads: `hf`, `vllm`, `awq` or `gptq` of a bundle, or a base model.
        log: Gets what it prints.
        name: What it answers to: the model; or its adapter, where one is given, and the model is then `<name>-base`.
        port: 0 takes a free one.
        max_model_len: Tokens that a request may have; None for the model's context, at most `CONTEXT`.
        threads: For its computing; 0 takes what the settings say, or every core.

    Raises:
        StageError(ToolchainMissing): vLLM is not installed.
    """
    one = required(TOOLCHAIN)
    port = port or _free_port()
    beside = None
    if adapter is not None:
        beside = (name, str(adapter), int(read_json(adapter / "adapter_config.json")["r"]))
    flags = vllm_flags(f"{name}-base" if beside else name, max_model_len or context_of(model), adapter=beside)
    command = [str(one.python), "-m", MODULE, "--model", str(model), "--host", LOOPBACK, "--port", str(port), *flags]
    # Left to itself it keeps a core for its scheduler, and computes on one of two.
    more = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(threads or settings().threads or os.cpu_count() or 1)}
    return VllmServer(Guarded(command, environment(one, more), log), name, port)


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind((LOOPBACK, 0))
        port: int = opened.getsockname()[1]
        return port
