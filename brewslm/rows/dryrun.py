"""Row files that count and sample instead of writing: a dry run is the commit's own code with these in its hands."""

import sqlite3
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from types import TracebackType
from typing import Any, Protocol, Self

from brewslm.rows.rowfile import SCHEMA, RowFile


class RowSink(Protocol):
    """What accepts rows: an Appender, or one of the stand-ins here."""

    def is_new(self, row_id: str, content_key: str) -> bool:
        """Whether neither this row nor another with the same content is in it."""

    def write(self, row: dict[str, Any], content_key: str = "") -> None:
        """Take one row."""


class DryAppender:
    """Answers `is_new` as the file's own Appender would, and keeps the first rows as a sample.

    Args:
        file: The row file that a commit would append to; it is only read.
        committed_bytes: Its committed length: what lies beyond is not there.
        sample_cap: How many rows to keep.
    """

    def __init__(self, file: RowFile, committed_bytes: int, sample_cap: int) -> None:
        self._committed_bytes, self._sample_cap = committed_bytes, sample_cap
        self._own = sqlite3.connect("", isolation_level=None)  # a temporary database, that spills to disk when it grows
        self._own.executescript(SCHEMA)
        self._committed: sqlite3.Connection | None = None
        if committed_bytes and file.index_path.exists():
            self._committed = sqlite3.connect(f"file:{file.index_path}?mode=ro", uri=True)
        self.sample: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._own.close()
        if self._committed is not None:
            self._committed.close()

    def is_new(self, row_id: str, content_key: str) -> bool:
        """Whether neither this row nor another with the same content is committed, or was taken here."""
        query = "SELECT 1 FROM rows WHERE (row_id = ? OR content_key = ?) AND offset < ? LIMIT 1"
        for index in (self._own, self._committed):
            if index is None:
                continue
            with closing(index.execute(query, (row_id, content_key, self._committed_bytes or 1))) as found:
                if found.fetchone() is not None:
                    return False
        return True

    def write(self, row: dict[str, Any], content_key: str = "") -> None:
        """Remember who the row is, and the row itself while the sample has room."""
        self._own.execute("INSERT OR IGNORE INTO rows VALUES (?, ?, 0)", (row["row_id"], content_key))
        if len(self.sample) < self._sample_cap:
            self.sample.append(row)


class RejectionSample:
    """Keeps the first rejected rows of each reason.

    Args:
        per_reason: How many of each.
        hidden: Reasons whose rows are not shown; they are counted all the same, by the ledger.
    """

    def __init__(self, per_reason: int, hidden: Collection[str]) -> None:
        self._per_reason, self._hidden = per_reason, frozenset(hidden)
        self._kept: Counter[str] = Counter()
        self.sample: list[dict[str, Any]] = []

    def is_new(self, row_id: str, content_key: str) -> bool:
        """Rejected rows are not compared."""
        return True

    def write(self, row: dict[str, Any], content_key: str = "") -> None:
        """Keep it if its reason is to be shown and has room."""
        reason = row["reason"]
        if reason not in self._hidden and self._kept[reason] < self._per_reason:
            self._kept[reason] += 1
            self.sample.append(row)
