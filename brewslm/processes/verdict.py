"""Why a child ended: one pure function of what was seen."""

import signal
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a run ended."""

    FINISHED = "finished"
    REFUSED = "refused"
    """It raised a StageError."""
    OOM = "oom"
    CRASHED = "crashed"
    KILLED = "killed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class Ending:
    """What was seen of a child's end.

    Attributes:
        returncode: As `subprocess` gives it: negative for a signal.
        wrote_result: `result.json` stands.
        error_kind: What its own error.json says: "stage_error", "memory", "paused", "crash", or "" when it left none.
        sent: Why we signalled it ourselves: "cancel", "timeout", or "".
        kernel_oom_kills: How many processes of its control group the kernel killed for memory meanwhile.
    """

    returncode: int
    wrote_result: bool = False
    error_kind: str = ""
    sent: str = ""
    kernel_oom_kills: int = 0


def cause_of(ending: Ending) -> tuple[Cause, str]:
    """The cause, and a sentence of evidence."""
    if ending.returncode == 0 and ending.wrote_result:
        return Cause.FINISHED, "it wrote its result"
    if ending.sent == "cancel":
        return Cause.CANCELLED, f"cancelled on request{_forced(ending)}"
    if ending.sent == "timeout":
        return Cause.TIMEOUT, f"stopped at its time limit{_forced(ending)}"
    if ending.error_kind == "stage_error":
        return Cause.REFUSED, "it said why"
    if ending.error_kind == "paused":
        return Cause.PAUSED, "paused on request"
    if ending.error_kind == "memory":
        return Cause.OOM, "an allocation failed"
    if ending.returncode < 0:
        name = signal.Signals(-ending.returncode).name
        if ending.returncode == -signal.SIGKILL and ending.kernel_oom_kills:
            return Cause.OOM, "the kernel killed it for memory"
        return Cause.KILLED, f"ended by {name}, with no sign of memory trouble"
    return Cause.CRASHED, f"exit status {ending.returncode}"


def _forced(ending: Ending) -> str:
    """Whether our SIGTERM was not enough for it."""
    return ", by SIGKILL after its grace" if ending.returncode == -signal.SIGKILL else ""
