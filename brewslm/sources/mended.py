"""`mended:/path`: rejected rows that were exported and mended. Each names the row that it was mended from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brewslm.rows import RawRow, RowBlock, RowReason, SentinelRow
from brewslm.sources.base import blocks_of, sentinel
from brewslm.sources.jsonl import JsonlConnector
from brewslm.sources.jsonrow import json_row

_STANDS_FOR_A_LINE = {"head", "byte_offset"}
_KNOWN = {reason.value: reason for reason in RowReason}


class MendedConnector(JsonlConnector):
    """Lines of `brewslm rejected export`. A row is what stands under `raw`, or else in the line that stands under `text`.

    One that nobody mended is rejected for its old reason.
    """

    scheme = "mended"
    grammar = "mended:/path/to/mended.jsonl"
    meaning = "Rejected rows that were exported and mended; see brewslm rejected."

    def blocks(self, path: Path) -> Iterator[RowBlock]:
        """One row a line."""
        lines = (row for block in super().blocks(path) for row in block.rows())
        return blocks_of(_mended(row) if isinstance(row, RawRow) else row for row in lines)

    def spread(self, path: Path) -> list[dict[str, Any]]:
        """None: what a mended row is mapped by is known."""
        return []


def _mended(row: RawRow) -> RawRow | SentinelRow:
    parent, raw, text = (row.values.get(name) for name in ("row_id", "raw", "text"))
    if not isinstance(parent, str):
        return sentinel(row.position, -1, RowReason.NOT_AN_OBJECT, str(row.values), "it has no row_id of a rejected row")
    if isinstance(raw, dict) and raw.keys() != _STANDS_FOR_A_LINE:
        return RawRow(row.position, raw, parent)
    if isinstance(text, str) and text.strip():
        read = json_row(row.position, -1, text.encode("utf-8", "surrogatepass"))
        return read._replace(parent=parent) if isinstance(read, RawRow) else read
    reason = _KNOWN.get(str(row.values.get("reason")), RowReason.NOT_AN_OBJECT)
    head = raw.get("head", "") if isinstance(raw, dict) else ""
    return sentinel(row.position, -1, reason, str(head), "it was not mended")
