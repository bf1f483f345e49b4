"""`jsonl:/path`: one JSON object a line."""

import codecs
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from brewslm.rows import RawRow, RowReason, SentinelRow, row_id
from brewslm.sources.base import HEAD_ROWS, MAX_LINE_BYTES, SPREAD_ROWS, Connector
from brewslm.sources.textfile import text_file

HEAD_CHARACTERS = 200


class JsonlConnector(Connector):
    """JSON lines in UTF-8. A row's position is its line number; blank lines count as lines, but are no rows."""

    scheme = "jsonl"
    grammar = "jsonl:/path/to/rows.jsonl"
    meaning = "A local file with one JSON object a line."
    extension = "jsonl"

    def file(self, reference: str) -> Path:
        """The named file."""
        return text_file(reference)

    def all_rows(self, path: Path, content_hash: str) -> Iterator[RawRow | SentinelRow]:
        """One row a line."""
        position = offset = 0
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES + 1):
                position += 1
                start, offset = offset, offset + len(line)
                if len(line) > MAX_LINE_BYTES:
                    offset += _skip_line(file)
                    yield _sentinel(content_hash, position, start, RowReason.LINE_TOO_LONG, line, f"over {MAX_LINE_BYTES} bytes")
                elif not line.isspace():
                    yield _row(content_hash, position, start, line)

    def spread(self, path: Path) -> list[dict[str, Any]]:
        """Rows after the head, from evenly spaced places of the whole file: a sorted file shows all its labels."""
        found: dict[int, dict[str, Any]] = {}
        with path.open("rb") as file:
            for _ in range(self._head_lines(path)):
                _skip_line(file)
            first, size = file.tell(), path.stat().st_size
            for number in range(SPREAD_ROWS):
                file.seek(first + (size - first) * number // SPREAD_ROWS)
                if number:
                    _skip_line(file)  # we may have landed inside a line
                start = file.tell()
                line = file.readline(MAX_LINE_BYTES)
                row = _row("", 0, 0, line) if line.strip() else None
                if isinstance(row, RawRow):
                    found[start] = row.values
        return list(found.values())

    def _head_lines(self, path: Path) -> int:
        """Down to which line the head reaches."""
        parsed = (row.position for row in self.all_rows(path, "") if isinstance(row, RawRow))
        return max(islice(parsed, HEAD_ROWS), default=0)


def _skip_line(file: BinaryIO) -> int:
    """Read to the end of the line; returns how many bytes that was."""
    skipped = 0
    while rest := file.readline(MAX_LINE_BYTES):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def _row(content_hash: str, position: int, offset: int, line: bytes) -> RawRow | SentinelRow:
    if position == 1:
        line = line.removeprefix(codecs.BOM_UTF8)
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        reason = RowReason.INVALID_JSON if _is_utf8(line) else RowReason.BAD_ENCODING
        return _sentinel(content_hash, position, offset, reason, line, str(error))
    if not isinstance(values, dict):
        detail = f"a {type(values).__name__}, not an object"
        return _sentinel(content_hash, position, offset, RowReason.NOT_AN_OBJECT, line, detail)
    return RawRow(row_id(content_hash, position), position, values)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _sentinel(content_hash: str, position: int, offset: int, reason: RowReason, line: bytes, detail: str) -> SentinelRow:
    head = line[: 4 * HEAD_CHARACTERS].decode("utf-8", errors="replace").rstrip("\r\n")[:HEAD_CHARACTERS]
    return SentinelRow(row_id(content_hash, position), position, offset, reason, head, detail)
