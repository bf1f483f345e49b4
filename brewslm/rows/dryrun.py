"""Row files that sample instead of writing: a dry run is the commit's own code with these in its hands."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, Protocol

import orjson


class AcceptedRows(Protocol):
    """What accepted rows go to: a row file's Appender, or a sample."""

    def write_lines(self, lines: Sequence[bytes], source: str, positions: Sequence[int]) -> None:
        """Take rows of one source as JSON lines."""


class RejectedRows(Protocol):
    """What rejected rows go to: a row file's Appender, or a sample."""

    def write(self, row: dict[str, Any]) -> None:
        """Take one row."""


class AcceptedSample:
    """Keeps the first accepted rows.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.sample: list[dict[str, Any]] = []

    def write_lines(self, lines: Sequence[bytes], source: str, positions: Sequence[int]) -> None:
        """Keep what there is room for."""
        self.sample += [orjson.loads(line) for line in lines[: self._most - len(self.sample)]]


class RejectedSample:
    """Keeps the first rejected rows of each reason.

    Args:
        per_reason: How many of each.
        hidden: Reasons whose rows are not shown; they are counted all the same, by the ledger.
    """

    def __init__(self, per_reason: int, hidden: Collection[str]) -> None:
        self._per_reason, self._hidden = per_reason, frozenset(hidden)
        self._kept: Counter[str] = Counter()
        self.sample: list[dict[str, Any]] = []

    def write(self, row: dict[str, Any]) -> None:
        """Keep it if its reason is to be shown and has room."""
        reason = row["reason"]
        if reason not in self._hidden and self._kept[reason] < self._per_reason:
            self._kept[reason] += 1
            self.sample.append(row)
