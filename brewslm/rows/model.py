"""The four kinds of row that stages 1 to 4 speak of."""

from dataclasses import dataclass, field
from typing import Any

from brewslm.rows.reasons import RowReason


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as its source has it.

    Attributes:
        position: 1-based record number in the source (the line number in JSONL).
        values: Column name to value.
    """

    row_id: str
    position: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SentinelRow:
    """Stands where the source has something that could not be read as a row: never dropped in silence.

    Attributes:
        byte_offset: Where it starts; -1 where the source has no bytes to count.
        head: Its first 200 characters.
        detail: What the parser said.
    """

    row_id: str
    position: int
    byte_offset: int
    reason: RowReason
    head: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TransformedRow:
    """A row in the shape that its task profile wants."""

    row_id: str
    position: int
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that ended here, and why."""

    row_id: str
    position: int
    reason: RowReason
    detail: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    """The raw row, or a sentinel's head: kept on disk in the project, never in an event."""
