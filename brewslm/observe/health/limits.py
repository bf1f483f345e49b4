"""What a finding is, and from when on it is one."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache

from pydantic import BaseModel, ConfigDict

from brewslm.presets import checked, read_preset
from brewslm.rows.reasons import RowReason

NAMED = 20


class Severity(StrEnum):
    """How much a finding matters; they can be compared, the worst is the greatest."""

    OK = "ok"
    WARN = "warn"
    BLOCK = "block"

    def __lt__(self, other: str) -> bool:
        return self._rank() < Severity(other)._rank()

    def __gt__(self, other: str) -> bool:
        return self._rank() > Severity(other)._rank()

    def _rank(self) -> int:
        return ("ok", "warn", "block").index(self.value)


class Limit(BaseModel):
    """The most that a figure may be before it is a warning, or a block; the least, with `at_least`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    warn: float | None = None
    block: float | None = None
    at_least: bool = False

    def severity(self, measured: float) -> Severity:
        """Of a measured figure; one that is just the limit is fine."""
        for limit, severity in ((self.block, Severity.BLOCK), (self.warn, Severity.WARN)):
            if limit is not None and (measured < limit if self.at_least else measured > limit):
                return severity
        return Severity.OK


class Limits(BaseModel):
    """presets/health.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unparseable_rows: Limit
    rejected_rows: Limit
    documents_rejected: Limit
    personal_data: Limit
    low_quality: Limit
    duplicate_documents: Limit
    task_profiles: Limit
    minority_label: Limit
    labels: Limit
    leaks: Limit
    over_length: Limit
    eval_interval: Limit


class Finding(BaseModel):
    """One thing that was measured.

    Attributes:
        id: The limit's name in the preset.
        group: Ingestion, Mapping, Cleaning, Shape or Prepared.
        subject: The import, reason or type that it is about; "" for all.
        said: What was measured, in one sentence.
        measured: The figure that is held against the limit.
        ids: Row ids or documents' numbers that it is about, at most 20.
        count: How many there are.
        next_step: One thing to do; "" where all is well.
    """

    id: str
    group: str
    subject: str = ""
    severity: Severity
    said: str
    measured: float
    limit: Limit
    ids: list[str] = []
    count: int = 0
    next_step: str = ""


class Judge:
    """Makes the findings of one group."""

    def __init__(self, group: str, limits: Limits) -> None:
        self._group, self._limits = group, limits

    def __call__(
        self, name: str, measured: float, said: str, next_step: str, *, subject: str = "", ids: Sequence[str] = (), count: int = 0
    ) -> Finding:
        """The finding of a figure; its next step is told where it is not ok."""
        limit: Limit = getattr(self._limits, name)
        severity = limit.severity(measured)
        return Finding(
            id=name, group=self._group, subject=subject, severity=severity, said=said, measured=round(measured, 6), limit=limit,
            ids=list(ids[:NAMED]), count=count, next_step="" if severity is Severity.OK else next_step,
        )  # fmt: skip


def remedy_of(reason: str) -> str:
    """What to do about rows of a reason."""
    return next((one.remedy for one in RowReason if one.value == reason), "See brewslm reasons.")


@cache
def limits() -> Limits:
    """The preset, read once."""
    return checked(read_preset("health"), Limits, "health.yaml")
