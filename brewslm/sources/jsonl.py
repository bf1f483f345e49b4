"""`jsonl:/path`: one JSON object a line."""

import codecs
from collections.abc import Iterator
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, BinaryIO

from brewslm.rows import RawRow, RowBlock, SentinelRow
from brewslm.sources.base import (
    BLOCK_BYTES,
    MAX_LINE_BYTES,
    SAMPLE_BYTES,
    SPREAD_ROWS,
    SPREAD_WINDOW,
    Connector,
    SampleReach,
    head_rows,
)
from brewslm.sources.jsonrow import json_block, json_row
from brewslm.sources.textfile import skip_line, text_file

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

    def all_rows(self, path: Path) -> Iterator[RawRow | SentinelRow]:
        """One row a line."""
        return (row for block in self.blocks(path) for row in block.rows())

    def blocks(self, path: Path) -> Iterator[RowBlock]:
        """Lines that are read and parsed together: to hand each one from function to function takes longer than to parse it."""
        position = offset = 0
        with path.open("rb", buffering=0) as file:
            for lines, size in _line_blocks(file):
                yield json_block(position, offset, lines if offset else lines.removeprefix(codecs.BOM_UTF8))
                position, offset = position + 1 + lines.count(b"\n"), offset + size

    def spread(self, path: Path) -> list[dict[str, Any]]:
        """Rows after the head, from evenly spaced places of the whole file, and the last: a sorted file shows all its labels."""
        found: dict[int, dict[str, Any]] = {}
        room = SAMPLE_BYTES
        with path.open("rb") as file:
            for _ in range(self._head_lines(path)):
                skip_line(file)
            first, size = file.tell(), path.stat().st_size
            for start, line in chain(_last_row(file, first, size), (_line_at(file, first, size, place) for place in _BY_HALVES)):
                row = json_row(0, 0, line) if line.strip() else None
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
        return max((row.position for row in head_rows(self.rows(path, SPREAD_WINDOW))), default=0)


def _line_at(file: BinaryIO, first: int, size: int, place: int) -> tuple[int, bytes]:
    """Where a line near one of 200 places begins, and that line."""
    file.seek(first + (size - first) * place // SPREAD_ROWS)
    line = _line_after(file) if place else file.readline(MAX_LINE_BYTES)
    return file.tell() - len(line), line


def _line_after(file: BinaryIO) -> bytes:
    """The line after the one that we may have landed in; nothing where that one goes on for long."""
    landed = file.readline(_LANDING_BYTES)
    return file.readline(MAX_LINE_BYTES) if landed.endswith(b"\n") else b""


def _line_blocks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Lines of an unbuffered file, a block at a time, without the end of the last, and their size in the file.

    Of a line that is too long no more than its beginning is kept, and it comes by itself.
    """
    rest = b""
    while piece := file.read(BLOCK_BYTES):
        lines, end, rest = (rest + piece).rpartition(b"\n")
        if end:
            yield lines, len(lines) + 1
        elif len(rest) > MAX_LINE_BYTES:
            head, size = rest[: MAX_LINE_BYTES + 1], len(rest)
            end = rest = b""
            while not end and (piece := file.read(BLOCK_BYTES)):
                skipped, end, rest = piece.partition(b"\n")
                size += len(skipped) + len(end)
            yield head, size
    if rest:
        yield rest, len(rest)


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
            if line.strip() and isinstance(json_row(0, 0, line), RawRow):
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
