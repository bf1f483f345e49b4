"""What a reason code is: a class whose name is its code and whose fields are its payload."""

import re
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer


class Stage(StrEnum):
    """Where in the audit stream an event belongs. A new pipeline stage starts with a line here."""

    INGESTION = "ingestion"
    CLEANING = "cleaning"
    PREPARE = "prepare"
    TRAINING = "training"
    EVAL = "eval"
    EXPORT = "export"
    DEPLOYMENT = "deployment"
    AUTOPILOT = "autopilot"
    ACADEMY = "academy"
    SYSTEM = "system"


class Severity(StrEnum):
    """How much an event matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


REGISTRY: dict[str, type["Reason"]] = {}


class Reason(BaseModel):
    """Why something happened or was refused.

    A subclass's name in snake case is its code, its docstring is its meaning, and its fields are the payload of the event.
    Payloads hold ids, counts and hashes, never a row's text: the stream is immutable, people's data must be forgettable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: ClassVar[str]
    stage: ClassVar[Stage]
    severity: ClassVar[Severity]
    status: ClassVar[int] = 422
    """HTTP status of the problem document."""
    exit_code: ClassVar[int] = 1
    remedy: ClassVar[str] = ""
    causes: ClassVar[tuple[str, ...]] = ()
    """What it is likely to come from, the likeliest first."""

    def __init_subclass__(
        cls,
        stage: Stage | None = None,
        severity: Severity = Severity.INFO,
        status: int = 422,
        exit_code: int = 1,
        remedy: str = "",
        causes: tuple[str, ...] = (),
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if stage is None:  # an intermediate base, not a reason of its own
            return
        cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        cls.stage, cls.severity, cls.status, cls.exit_code, cls.remedy = stage, severity, status, exit_code, remedy
        cls.causes = causes
        if cls.code in REGISTRY:
            raise TypeError(f"reason code {cls.code} is taken by {REGISTRY[cls.code].__module__}")
        REGISTRY[cls.code] = cls

    @classmethod
    def meaning(cls) -> str:
        """The first sentence of the docstring."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return self.model_dump(mode="json")

    @classmethod
    def read(cls, code: str, payload: dict[str, Any]) -> Self:
        """The typed reason of a stored event.

        Raises:
            KeyError: No reason class has this code.
        """
        return REGISTRY[code].model_validate(payload)  # type: ignore[return-value]


class Refusal(Reason):
    """A request that was turned away before anything was written. It is shown to the caller and never enters the stream."""


class FailedRun(Reason):
    """What every reason says that closes a run badly."""

    signature: str = ""
    """Which fault it was: equal for one that is met again. See processes/origin.py."""

    def payload(self) -> dict[str, Any]:
        """The fields as JSON values; without a signature where none was made."""
        return {name: value for name, value in super().payload().items() if name != "signature" or value}


def is_event(reason: Reason) -> bool:
    """Whether a reason enters the stream: a refusal is only shown."""
    return not isinstance(reason, Refusal)


def _load(value: Any) -> Any:
    return Reason.read(value["code"], value["payload"]) if isinstance(value, dict) else value


AnyReason = Annotated[
    Reason,
    BeforeValidator(_load),
    PlainSerializer(lambda reason: {"code": reason.code, "payload": reason.payload()}, return_type=dict),
]
"""A field that holds any reason and survives JSON (a child's result file)."""
