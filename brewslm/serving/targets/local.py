"""The target `local`: a model server on this machine, which the supervisor keeps."""

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from brewslm.models.loading import Precision
from brewslm.serving.endpoints import Endpoint
from brewslm.serving.model_server import LLAMA, ModelServer, ModelServerFailed, busy_slots
from brewslm.serving.targets.base import Servable, Server, Target

PREFERRED, HF = "gguf-q8_0", "hf"
TRANSFORMERS = "brewslm.serving.transformers_server"
"""The module of the child: not imported here, for it needs the task handlers."""


class LocalSettings(BaseModel):
    """How a model server runs here.

    Attributes:
        parallel: Requests that are answered at the same time; more wait.
        context: Tokens that they share; a model's own context is cut to it.
        port: On the loopback address; 0 lets the kernel choose one that is free.
        precision: Of the weights that transformers computes with. fp32 is what the export was checked in; bf16 needs half the
            memory, and is faster where the processor multiplies it.

    A GGUF file has its precision in itself; what transformers serves is computed one request at a time, whatever `parallel` says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parallel: int = Field(default=4, ge=1, le=64)
    context: int = Field(default=8192, ge=256, le=2**20)
    port: int = Field(default=0, ge=0, le=65535)
    precision: Precision = "fp32"


class LocalTarget(Target):
    """llama.cpp's server on a GGUF file; our own on transformers for the rest."""

    name: ClassVar[str] = "local"
    meaning: ClassVar[str] = "A model server on this machine: llama.cpp on GGUF, transformers on hf."
    Settings: ClassVar[type[BaseModel]] = LocalSettings

    def refusal(self, servable: Servable) -> str:
        """GGUF, and the folder of whole weights that transformers reads."""
        return "" if servable.is_gguf or servable.variant == HF else "it serves GGUF and hf"

    def preferred(self, variants: Iterable[str]) -> str | None:
        """Q8_0 keeps nearly all of F16 in half of its size; else any other GGUF, which is faster than hf; else that."""
        known = [name for name in variants if name.startswith("gguf") or name == HF]
        return PREFERRED if PREFERRED in known else min(known, key=lambda name: name == HF, default=None)

    def start(self, servable: Servable, log: Path) -> Server:
        """A child of ours.

        Raises:
            ModelServerFailed: Its port is taken.
        """
        options = LocalSettings.model_validate(servable.settings)
        check_port(options.port)
        given = options.model_dump() | {"model": servable.model}
        if servable.is_gguf:
            return ModelServer(LLAMA, given | {"gguf": str(servable.path)}, servable.model, log)
        given |= {"folder": str(servable.path), "bundle": str(servable.bundle)}
        return ModelServer(TRANSFORMERS, given, servable.model, log, chat=servable.chats, rows=True)

    def busy(self, endpoint: Endpoint) -> int | None:
        """As the server itself says."""
        return busy_slots(endpoint.address)


def check_port(port: int) -> None:
    """Whether a server could listen there.

    Raises:
        ModelServerFailed: Another process does.
    """
    if port:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: what is left of closed ones is no taker
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise ModelServerFailed(f"port {port} of 127.0.0.1 can't be had: {error.strerror}") from error
