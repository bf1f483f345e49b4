"""`json:/path`: one array of objects."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceUnreadable
from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources.base import MAX_LINE_BYTES, Connector, sentinel
from brewslm.sources.jsonrow import json_row
from brewslm.sources.textfile import HEAD_BYTES, text_file

_BLOCK_BYTES = 256 * 1024
_ESTIMATE_ELEMENTS = 10_000
_SPACE = b" \t\r\n"
_MARK = re.compile(rb'["\[\]{},]')
_OPENING, _CLOSING = b"[{", b"]}"


class JsonConnector(Connector):
    """One JSON array in UTF-8, read element by element. A row's position is its element's number."""

    scheme = "json"
    grammar = "json:/path/to/rows.json"
    meaning = "A local file with one JSON array of objects, in UTF-8."
    extension = "json"

    def file(self, reference: str) -> Path:
        """The named file.

        Raises:
            StageError(SourceUnreadable): It does not begin with an array.
        """
        path = text_file(reference)
        with path.open("rb") as file:
            _enter_array(file, path)
        return path

    def all_rows(self, path: Path) -> Iterator[RawRow | SentinelRow]:
        """One row an element; one that is broken costs itself alone.

        Raises:
            StageError(SourceUnreadable): The file does not begin with an array.
        """
        with path.open("rb") as file:
            for position, element in enumerate(_elements(file, _enter_array(file, path)), 1):
                raw, offset = element.raw, element.offset
                if element.size > MAX_LINE_BYTES:
                    detail = f"over {MAX_LINE_BYTES} bytes"
                    yield sentinel(position, offset, RowReason.LINE_TOO_LONG, raw, detail)
                elif element.fault:
                    yield sentinel(position, offset, RowReason.INVALID_JSON, raw, element.fault)
                else:
                    yield json_row(position, offset, raw)

    def estimated_rows(self, path: Path) -> int:
        """From the size of the first 10,000 elements."""
        with path.open("rb") as file:
            start = _enter_array(file, path)
            count, end = 0, start
            for count, element in enumerate(islice(_elements(file, start), _ESTIMATE_ELEMENTS), 1):
                end = element.offset + element.size
        if count < _ESTIMATE_ELEMENTS:
            return count
        return round(count * (path.stat().st_size - start) / (end - start))


@dataclass(frozen=True, slots=True)
class _Element:
    """What stands between two commas of the array.

    Attributes:
        raw: Without the space around it; of one that is too long, its beginning.
        size: In bytes, of all of it.
        fault: Why it is no element, or "".
    """

    raw: bytes
    offset: int
    size: int
    fault: str = ""


def _enter_array(file: BinaryIO, path: Path) -> int:
    """Where the array's first element may begin."""
    head = file.read(HEAD_BYTES)
    body = head.removeprefix(codecs.BOM_UTF8).lstrip(_SPACE)
    if not body.startswith(b"["):
        cause = "it does not begin with an array"
        next_step = f"If each line is an object, name it as jsonl:{path}; else write the rows as one array."
        raise StageError(SourceUnreadable(), where=str(path), cause=cause, next_step=next_step)
    return len(head) - len(body) + 1


def _elements(file: BinaryIO, start: int) -> Iterator[_Element]:
    """The elements of an array, split at its own commas, and what is wrong with its end."""
    scanner = _Scanner(start)
    file.seek(start)
    while not scanner.closed and (block := file.read(_BLOCK_BYTES)):
        yield from scanner.feed(block)
    if not scanner.closed:
        yield scanner.take("the file ends before the array does")
        return
    while block := file.read(_BLOCK_BYTES):
        scanner.keep(block)
    rest = scanner.take("it stands after the array's end")
    if rest.raw:
        yield rest


class _Scanner:
    """Where the array's commas are: outside of strings and of inner brackets."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._kept, self._size = bytearray(), 0
        self._depth, self._in_string, self._escaped, self._first = 0, False, False, True
        self.closed = False

    def feed(self, block: bytes) -> Iterator[_Element]:
        """Go on with the next bytes of the file."""
        at = done = 0
        if self._escaped:
            at, self._escaped = 1, False
        while True:
            if self._in_string:
                at = self._after_string(block, at)
                if self._in_string:
                    break
            mark = _MARK.search(block, at)
            if mark is None:
                break
            at, sign = mark.end(), mark[0]
            if sign == b'"':
                self._in_string = True
            elif sign in _OPENING:
                self._depth += 1
            elif self._depth:
                self._depth -= sign in _CLOSING
            elif sign == b",":
                self.keep(block[done : at - 1])
                yield self._between()
                done = at
            elif sign == b"]":
                self.keep(block[done : at - 1])
                if last := self._last():
                    yield last
                self.closed, done = True, at
                break
        self.keep(block[done:])

    def _after_string(self, block: bytes, at: int) -> int:
        """Behind the string that `at` is in, or behind the block where it goes on. Searched for bytes, which is fast."""
        while True:
            quote = block.find(b'"', at)
            end = quote if quote >= 0 else len(block)
            slash = block.find(b"\\", at, end)
            if slash < 0:
                self._in_string = quote < 0
                return end + 1
            at = slash + 2
            if at > len(block):
                self._escaped = True
                return at

    def keep(self, piece: bytes) -> None:
        """Bytes of the element that is being read; no more of them stay than one may have."""
        if not self._size:
            stripped = piece.lstrip(_SPACE)
            self._offset += len(piece) - len(stripped)
            piece = stripped
        self._size += len(piece)
        if self._size <= MAX_LINE_BYTES:
            self._kept += piece
        else:
            self._kept = (self._kept + piece[:HEAD_BYTES])[:HEAD_BYTES]

    def take(self, fault: str = "") -> _Element:
        """What was kept, and begin anew behind it."""
        raw = bytes(self._kept).rstrip(_SPACE)
        size = self._size if self._size > MAX_LINE_BYTES else len(raw)
        element = _Element(raw, self._offset, size, fault)
        self._offset += self._size
        self._kept, self._size = bytearray(), 0
        return element

    def _between(self) -> _Element:
        element = self.take("" if self._kept else "nothing stands before the comma")
        self._first = False
        self._offset += 1
        return element

    def _last(self) -> _Element | None:
        if self._kept:
            element: _Element | None = self.take()
        elif self._first:
            element = None
        else:
            element = self.take("nothing stands after the last comma")
        self._offset += self._size + 1
        self._kept, self._size = bytearray(), 0
        return element
