"""`jsonl:/path`: one JSON object a line."""

import codecs
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from brewslm.rows import RawRow, RowBlock, SentinelRow
from brewslm.sources.base import (
    BLOCK_BYTES,
    HEAD_ROWS,
    MAX_LINE_BYTES,
    SAMPLE_BYTES,
    SPREAD_ROWS,
    SPREAD_WINDOW,
    Connector,
    SampleReach,
)
from brewslm.sources.jsonrow import json_block, json_row
from brewslm.sources.textfile import skip_line, text_file

_LANDING_BYTES = 256 * 1024


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
                if offset == 0:
                    lines[0] = lines[0].removeprefix(codecs.BOM_UTF8)
                yield json_block(position, offset, lines)
                position, offset = position + len(lines), offset + size

    def spread(self, path: Path) -> list[dict[str, Any]]:
        """Rows after the head, from evenly spaced places of the whole file: a sorted file shows all its labels."""
        found: dict[int, dict[str, Any]] = {}
        room = SAMPLE_BYTES
        with path.open("rb") as file:
            for _ in range(self._head_lines(path)):
                skip_line(file)
            first, size = file.tell(), path.stat().st_size
            for number in range(SPREAD_ROWS):
                file.seek(first + (size - first) * number // SPREAD_ROWS)
                line = _line_after(file) if number else file.readline(MAX_LINE_BYTES)
                start = file.tell() - len(line)
                row = json_row(0, 0, line) if line.strip() else None
                room -= len(line)
                if isinstance(row, RawRow):
                    found[start] = row.values
                if room < 0:
                    break
        return list(found.values())

    def sample_reach(self, path: Path) -> SampleReach:
        """The whole file, however large."""
        return "file"

    def _head_lines(self, path: Path) -> int:
        """Down to which line the head reaches."""
        parsed = (row.position for row in self.rows(path, SPREAD_WINDOW) if isinstance(row, RawRow))
        return max(islice(parsed, HEAD_ROWS), default=0)


def _line_after(file: BinaryIO) -> bytes:
    """The line after the one that we may have landed in; nothing where that one goes on for long."""
    landed = file.readline(_LANDING_BYTES)
    return file.readline(MAX_LINE_BYTES) if landed.endswith(b"\n") else b""


def _line_blocks(file: BinaryIO) -> Iterator[tuple[list[bytes], int]]:
    """The lines of an unbuffered file without their ends, about a megabyte at a time, and their size in the file.

    Of a line that is too long no more than its beginning is kept, and it comes by itself.
    """
    rest = b""
    while piece := file.read(BLOCK_BYTES):
        *lines, rest = (rest + piece).split(b"\n")
        if lines:
            yield lines, sum(map(len, lines)) + len(lines)
        elif len(rest) > MAX_LINE_BYTES:
            head, size = rest[: MAX_LINE_BYTES + 1], len(rest)
            end = rest = b""
            while not end and (piece := file.read(BLOCK_BYTES)):
                skipped, end, rest = piece.partition(b"\n")
                size += len(skipped) + len(end)
            yield [head], size
    if rest:
        yield [rest], len(rest)
