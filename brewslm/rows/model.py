"""The kinds of row that stages 1 to 4 speak of. Those that come by the million go in blocks: one list per attribute."""

from dataclasses import dataclass, field
from itertools import compress
from typing import Any, NamedTuple

from brewslm.rows.reasons import RowReason


class RawRow(NamedTuple):
    """A row as its source has it.

    Attributes:
        position: 1-based record number in the source (the line number in JSONL).
        values: Column name to value.
        parent: The row_id of the rejected row that this one was mended from.
    """

    position: int
    values: dict[str, Any]
    parent: str | None = None


class SentinelRow(NamedTuple):
    """Stands where the source has something that could not be read as a row: never dropped in silence.

    Attributes:
        byte_offset: Where it starts; -1 where the source has no bytes to count.
        head: Its first 200 characters.
        detail: What the parser said.
    """

    position: int
    byte_offset: int
    reason: RowReason
    head: str
    detail: str = ""

    def raw(self) -> dict[str, Any]:
        """What stands for the raw row where this one is rejected."""
        return {"head": self.head, "byte_offset": self.byte_offset}


class RejectedRow(NamedTuple):
    """A row that ended here, and why.

    Attributes:
        raw: The raw row, or a sentinel's head and byte offset: kept on disk in the project, never in an event.
    """

    position: int
    reason: RowReason
    detail: str
    raw: dict[str, Any]


@dataclass(slots=True)
class RowBlock:
    """Neighbours of a source, in its order: `positions`, `values` and `parents` speak of the raw rows, one entry each.

    Attributes:
        parents: As of a RawRow; empty where no row has one.
        sentinels: What stands between them and is no row.
    """

    positions: list[int] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    sentinels: list[SentinelRow] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.positions) + len(self.sentinels)

    def add(self, row: RawRow | SentinelRow) -> None:
        """Put one row, the next of the source, at the end. A block's rows have parents all or none."""
        if isinstance(row, SentinelRow):
            self.sentinels.append(row)
            return
        self.positions.append(row.position)
        self.values.append(row.values)
        if row.parent is not None:
            self.parents.append(row.parent)

    def rows(self) -> list[RawRow | SentinelRow]:
        """One by one, in the order of the source."""
        parents: list[Any] = self.parents or [None] * len(self.positions)
        rows: list[RawRow | SentinelRow] = [RawRow(*one) for one in zip(self.positions, self.values, parents, strict=True)]
        return sorted([*rows, *self.sentinels], key=lambda row: row.position) if self.sentinels else rows


@dataclass(slots=True)
class TransformedRows:
    """Rows in the shape that their task profile wants, one entry each in every list.

    Attributes:
        raw: The values that a payload was made from: a duplicate is kept with them.
        parents: As of a RawRow.
    """

    positions: list[int]
    payloads: list[dict[str, Any]]
    raw: list[dict[str, Any]]
    parents: list[str | None]

    def only(self, chosen: list[bool]) -> "TransformedRows":
        """Those of the rows that are chosen."""
        columns = (self.positions, self.payloads, self.raw, self.parents)
        return TransformedRows(*(list(compress(one, chosen)) for one in columns))  # type: ignore[arg-type]
