"""The target `vllm`: launched from its toolchain and kept as the local one is, or one that runs already."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from brewslm.errors import StageError
from brewslm.processes.toolchains import install_command, missing
from brewslm.processes.vllm import TOOLCHAIN, VllmServer, serve_vllm
from brewslm.serving.endpoints import Endpoint
from brewslm.serving.model_server import ModelServerFailed
from brewslm.serving.targets.base import Lacking, Servable, Server, Target
from brewslm.serving.targets.elsewhere import EndpointSettings, checked_key, checked_url, elsewhere, lacking_key
from brewslm.serving.targets.local import check_port

SERVES = ("vllm", "hf", "awq", "gptq")
"""The best first: of a bundle that has several, the one that is made for vLLM."""
_RUNNING, _WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"


class VllmSettings(BaseModel):
    """How vLLM runs, or where it does.

    Attributes:
        max_model_len: Tokens of the longest request; 0 takes the model's own context, at most 8192.
        port: On the loopback address; 0 takes one that is free.
        threads: That it computes with; 0 takes every core.
        url: Of one that runs already, up to and with "/v1"; the settings before are then not for it.
        model: The name that one answers to.
        key: The name of the key that one wants.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    max_model_len: int = Field(default=0, ge=0)
    port: int = Field(default=0, ge=0, le=65535)
    threads: int = Field(default=0, ge=0)
    url: str = ""
    model: str = ""
    key: str = ""

    @field_validator("url")
    @classmethod
    def _url(cls, url: str) -> str:
        return checked_url(url) if url else ""

    _key = field_validator("key")(checked_key)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.url) != bool(self.model):
            raise ValueError("url and model are said together: where it runs already, and the name that it answers to")
        if self.key and not self.url:
            raise ValueError("key is for one that runs already, at url")
        return self

    @property
    def there(self) -> EndpointSettings | None:
        """Where it runs already."""
        return EndpointSettings(url=self.url, model=self.model, key=self.key) if self.url else None


class _Launched:
    """vLLM's server as a child of ours."""

    def __init__(self, server: VllmServer) -> None:
        self._server = server

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it lives."""
        return self._server.returncode

    def endpoint(self) -> Endpoint | None:
        """Where it answers; None until its model is loaded.

        Raises:
            ModelServerFailed: It has ended.
        """
        if not self._server.alive():
            raise ModelServerFailed(self._server.last_words())
        if not self._server.ready():
            return None
        return Endpoint(base_url=self._server.base_url, model=self._server.name, pid=self._server.pid)

    def stop(self) -> None:
        """End it and its engine."""
        self._server.stop()


class VllmTarget(Target):
    """vLLM on this machine, or wherever it runs already."""

    name: ClassVar[str] = "vllm"
    meaning: ClassVar[str] = "vLLM: launched from its toolchain on this machine, or one that runs already, by its URL."
    Settings: ClassVar[type[BaseModel]] = VllmSettings
    ready_seconds: ClassVar[float] = 300.0

    def refusal(self, servable: Servable) -> str:
        """Folders of whole weights that chat."""
        if servable.variant not in SERVES:
            return f"it serves {', '.join(SERVES)}"
        return "" if servable.chats else "it is asked over OpenAI's API, and this model does not write text after text"

    def preferred(self, variants: Iterable[str]) -> str | None:
        """By the order of `SERVES`."""
        return min((name for name in variants if name in SERVES), key=SERVES.index, default=None)

    def lacking(self, servable: Servable) -> Lacking | None:
        """The toolchain; or the key of one that runs already."""
        options = VllmSettings.model_validate(servable.settings)
        if options.there:
            return lacking_key(servable.project_id, options.key)
        names = missing((TOOLCHAIN,))
        return Lacking(f"toolchain {TOOLCHAIN} is not installed", f"Run {install_command(names)}.") if names else None

    def start(self, servable: Servable, log: Path) -> Server:
        """Launch it, unless it runs already.

        Raises:
            ModelServerFailed: The toolchain is not installed, or the port is taken.
        """
        options = VllmSettings.model_validate(servable.settings)
        if options.there:
            return elsewhere(servable.project_id, options.there)
        check_port(options.port)
        try:
            server = serve_vllm(
                servable.path, log, name=servable.model, port=options.port, max_model_len=options.max_model_len or None,
                threads=options.threads,
            )  # fmt: skip
        except StageError as error:
            raise ModelServerFailed(f"{error.what}; {error.next_step}") from error
        return _Launched(server)

    def busy(self, endpoint: Endpoint) -> int | None:
        """As its own metrics say; one that runs elsewhere is not ours to end."""
        return requests_of(endpoint) if endpoint.pid else 0


def requests_of(endpoint: Endpoint) -> int | None:
    """Requests that a vLLM server works on, or that wait there; None when it can't be asked."""
    import httpx2

    try:
        said = httpx2.get(f"{endpoint.address}/metrics", timeout=2.0, headers=endpoint.headers()).text
    except httpx2.TransportError:
        return None
    return requests_in(said)


def requests_in(metrics: str) -> int:
    """The same, read from what Prometheus reads: `vllm:num_requests_running{engine="0",…} 2.0`."""
    lines = (line for line in metrics.splitlines() if line.startswith((_RUNNING, _WAITING)))
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))
