"""`jsonl:/path`: one JSON object a line."""

import codecs
from collections.abc import Iterator
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, BinaryIO

from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources.base import (
    MAX_LINE_BYTES,
    SAMPLE_BYTES,
    SPREAD_ROWS,
    SPREAD_WINDOW,
    Connector,
    SampleReach,
    head_rows,
    sentinel,
)
from brewslm.sources.jsonrow import json_row
from brewslm.sources.textfile import READ_BYTES, skip_line, text_file

_LANDING_BYTES = 256 * 1024
_TRIED_LINES = 100
"""From the end, for the last row: what is broken or blank there is passed over."""


class JsonlConnector(Connector):
    """JSON lines in UTF-8. A row's position is its line number; blank lines count as lines, but are no rows."""

    scheme = "jsonl"
    grammar = "jsonl:/path/to/rows.jsonl"
    meaning = "A local file with one JSON object a line, in UTF-8."
    extension = "jsonl"

    def file(self, reference: str) -> Path:
        """The named file."""
        return text_file(reference)

    def all_rows(self, path: Path, content_hash: str) -> Iterator[RawRow | SentinelRow]:
        """One row a line."""
        position = offset = 0
        with path.open("rb", buffering=READ_BYTES) as file:
            while line := file.readline(MAX_LINE_BYTES + 1):
                position += 1
                start, offset = offset, offset + len(line)
                if len(line) > MAX_LINE_BYTES:
                    offset += 0 if line.endswith(b"\n") else skip_line(file)
                    detail = f"over {MAX_LINE_BYTES} bytes"
                    yield sentinel(content_hash, position, start, RowReason.LINE_TOO_LONG, line, detail)
                    continue
                if start == 0:
                    line = line.removeprefix(codecs.BOM_UTF8)
                if line.strip():
                    yield json_row(content_hash, position, start, line)

    def spread(self, path: Path) -> list[dict[str, Any]]:
        """Rows after the head, from evenly spaced places of the whole file, and the last: a sorted file shows all its labels."""
        found: dict[int, dict[str, Any]] = {}
        room = SAMPLE_BYTES
        with path.open("rb") as file:
            for _ in range(self._head_lines(path)):
                skip_line(file)
            first, size = file.tell(), path.stat().st_size
            for start, line in chain(_last_row(file, first, size), (_line_at(file, first, size, place) for place in _BY_HALVES)):
                row = json_row("", 0, 0, line) if line.strip() else None
                room -= len(line)
                if isinstance(row, RawRow):
                    found[start] = row.values
                if room < 0:
                    break
        return [found[start] for start in sorted(found)]

    def sample_reach(self, path: Path) -> SampleReach:
        """The whole file, however large."""
        return "file"

    def _head_lines(self, path: Path) -> int:
        """Down to which line the head reaches."""
        return max((row.position for row in head_rows(self.rows(path, "", SPREAD_WINDOW))), default=0)


def _line_at(file: BinaryIO, first: int, size: int, place: int) -> tuple[int, bytes]:
    """Where a line near one of 200 places begins, and that line."""
    file.seek(first + (size - first) * place // SPREAD_ROWS)
    line = _line_after(file) if place else file.readline(MAX_LINE_BYTES)
    return file.tell() - len(line), line


def _line_after(file: BinaryIO) -> bytes:
    """The line after the one that we may have landed in; nothing where that one goes on for long."""
    landed = file.readline(_LANDING_BYTES)
    return file.readline(MAX_LINE_BYTES) if landed.endswith(b"\n") else b""


def _last_row(file: BinaryIO, first: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Where the last line that can be read as a row begins, and that line; nothing where it lies far from the end."""
    window = _LANDING_BYTES
    while True:
        start = max(first, size - window)
        file.seek(start)
        landed = file.readline(window) if start > first else b""
        lines = file.read(max(0, size - start - len(landed))).split(b"\n")
        ends = accumulate((len(line) + 1 for line in lines), initial=start + len(landed))
        for begins, line in list(zip(ends, lines, strict=False))[: -_TRIED_LINES - 1 : -1]:
            if line.strip() and isinstance(json_row("", 0, 0, line), RawRow):
                yield begins, line
                return
        if start == first or window >= MAX_LINE_BYTES:
            return
        window *= 4


def _by_halves(count: int) -> list[int]:
    """The numbers below `count` so that each beginning of the list is spread evenly: 0, a half, a quarter, three quarters …"""
    digits = count.bit_length()
    return [back for number in range(2**digits) if (back := int(f"{number:0{digits}b}"[::-1], 2)) < count]


_BY_HALVES = _by_halves(SPREAD_ROWS)
"""The places, in an order in which the sample may end at any time: large rows use up its room early."""
