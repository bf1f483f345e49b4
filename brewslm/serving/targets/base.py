"""What a target is: what it can serve, how that is made ready, how it is asked, and how it ends."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict

from brewslm.serving.endpoints import Endpoint
from brewslm.store.files import project_folder, read_json
from brewslm.store.tables import DeploymentVersion, Export

_CAUSAL = ("ForCausalLM", "LMHeadModel")


class Servable(BaseModel):
    """One variant of an export, under the name that it shall answer to.

    Attributes:
        version_id: 0 of one that is not written down yet.
        model: Such as "default-v2".
        bundle: The export's folder.
        artifact: What the export says of the variant: path and weights, relative to the bundle, sha256 and more.
        settings: Of its target.
    """

    model_config = ConfigDict(frozen=True)

    version_id: int
    project_id: int
    target: str
    model: str
    variant: str
    bundle: Path
    artifact: dict[str, Any]
    settings: dict[str, Any] = {}

    @classmethod
    def of(cls, version: DeploymentVersion, export: Export) -> Self:
        """What a version serves."""
        return cls(
            version_id=version.id or 0, project_id=version.project_id, target=version.target,
            model=f"{version.slot}-v{version.version}", variant=version.variant, settings=version.settings,
            bundle=project_folder(version.project_id) / export.path, artifact=export.artifacts[version.variant],
        )  # fmt: skip

    @property
    def path(self) -> Path:
        """The file, or the folder."""
        return self.bundle / str(self.artifact["path"])

    @property
    def weights(self) -> Path:
        """The file that is known by the artifact's hash."""
        return self.bundle / str(self.artifact.get("weights", self.artifact["path"]))

    @property
    def is_gguf(self) -> bool:
        """Whether it is one file for llama.cpp, or else a folder for transformers and vLLM."""
        return self.variant.startswith("gguf")

    @property
    def chats(self) -> bool:
        """Whether it writes text after text, so that OpenAI's chat completions can ask it."""
        config = self.path / "config.json"
        if self.is_gguf or not config.is_file():
            return True
        return any(str(name).endswith(_CAUSAL) for name in read_json(config).get("architectures", []))


class Server(Protocol):
    """A model server as its keeper holds it."""

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it lives."""

    def endpoint(self) -> Endpoint | None:
        """Where it answers; None until it is ready.

        Raises:
            ModelServerFailed: It has ended.
        """

    def stop(self) -> None:
        """End what this process holds of it; a second call does nothing."""


class Lacking(NamedTuple):
    """What a target has not got here, and what to do about it."""

    cause: str
    next_step: str


class NoSettings(BaseModel):
    """A target without settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Target(ABC):
    """One way to have an export answer. Its name stands in the table and must not change."""

    name: ClassVar[str]
    meaning: ClassVar[str]
    """One sentence, shown in the list of targets."""
    Settings: ClassVar[type[BaseModel]] = NoSettings
    """What `deploy create --set` may say. A value is kept in a table: never a key, but the name of one."""
    ready_seconds: ClassVar[float] = 120.0
    """How long a promote waits for it to be ready."""

    rents: ClassVar[bool] = False
    """Its start costs money: only a promote, and whoever keeps what is promoted, may do it."""

    @abstractmethod
    def refusal(self, servable: Servable) -> str:
        """Why it can't serve this; "" where it can."""

    @abstractmethod
    def start(self, servable: Servable, log: Path) -> Server:
        """Begin to make it ready; returns at once.

        Args:
            log: File that gets what the server prints.

        Raises:
            ModelServerFailed: It can't be started.
        """

    def preferred(self, variants: Iterable[str]) -> str | None:
        """The variant to serve when none is named; None where it can't say."""
        return next(iter(variants), None)

    def lacking(self, servable: Servable) -> Lacking | None:
        """What a promote would fail for on this machine: a toolchain, a key, credentials."""
        return None

    def plan(self, servable: Servable) -> str:
        """What would be launched elsewhere, as a text for a person; "" where there is nothing to plan."""
        return ""

    def busy(self, endpoint: Endpoint) -> int | None:
        """How many requests it works on now; None where it can't be asked. It is not ended while it works."""
        return 0

    def release(self, servable: Servable) -> None:  # noqa: B027 - most targets leave nothing behind
        """Take down what lives on when its server has stopped: what runs on somebody else's machines."""
