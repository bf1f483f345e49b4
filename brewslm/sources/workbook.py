"""The parts of an .xlsx workbook (ECMA-376) that rows are made of: sheet names, shared strings, date styles, cells."""

import datetime
import math
import posixpath
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceTooLarge
from brewslm.sources.base import MAX_COLUMNS

_BLOCK_BYTES = 64 * 1024
_STRINGS_BYTES = 64 * 1024 * 1024
_CELL_CHARACTERS = 1_000_000
"""Excel itself writes up to 32,767."""
_PART_BYTES = 4 * 1024**3
_RATIO = 200
_RATIO_FROM = 64 * 1024 * 1024
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""The built-in number formats that show a date or a time."""
_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})$")
Row = tuple[int, list[Any]]


class BadWorkbook(Exception):
    """A part is missing, or says what it can't mean."""


class Workbook:
    """An open workbook. What it holds in memory is capped; what is over a cap is a problem.

    Attributes:
        sheet: The name of the first visible sheet.
        other_sheets: The names of the others.
        share_read: How much of the sheet's bytes `rows` has read, 0 to 1.
    """

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path = archive, path
        self.share_read = 0.0
        sheets, self._epoch = self._sheets()
        if not sheets:
            raise BadWorkbook("it has no visible sheet")
        self.sheet, relation = sheets[0]
        self.other_sheets = [name for name, _ in sheets[1:]]
        self._part = self._target(relation)

    def rows(self) -> Iterator[Row]:
        """Number and cells of each row that has a cell; the cells end with the last that is not empty."""
        reader = _SheetReader(self._strings(), self._date_styles(), self._epoch)
        for _ in self._parsed(self._part, reader.start, reader.end, reader.text):
            yield from reader.taken()

    def _sheets(self) -> tuple[list[tuple[str, str]], datetime.datetime]:
        found: list[tuple[str, str]] = []
        epoch = [datetime.datetime(1899, 12, 30)]

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "sheet" and attributes.get("state", "visible") == "visible":
                relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
                found.append((attributes.get("name", ""), relation))
            if name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
                epoch[0] = datetime.datetime(1904, 1, 1)

        self._read("xl/workbook.xml", start)
        return found, epoch[0]

    def _target(self, relation: str) -> str:
        found: list[str] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and attributes.get("Id") == relation:
                found.append(attributes.get("Target", ""))

        self._read("xl/_rels/workbook.xml.rels", start)
        if not found:
            raise BadWorkbook(f"the sheet {self.sheet} has no part")
        return posixpath.normpath(posixpath.join("/xl", found[0])).lstrip("/")

    def _strings(self) -> list[str]:
        """The shared strings; readings of East Asian characters (rPh) are not part of them."""
        strings: list[str] = []
        pieces: list[str] = []
        state = {"text": 0, "reading": 0, "open": 0, "bytes": 0}

        def start(name: str, _attributes: dict[str, str]) -> None:
            state["text"] += name == "t"
            state["reading"] += name == "rPh"

        def end(name: str) -> None:
            state["text"] -= name == "t"
            state["reading"] -= name == "rPh"
            if name == "si":
                strings.append("".join(pieces))
                pieces.clear()
                state["open"] = 0
                state["bytes"] += sys.getsizeof(strings[-1]) + 8

        def text(data: str) -> None:
            if state["text"] and not state["reading"]:
                pieces.append(data)
                state["open"] += len(data)
                if state["bytes"] > _STRINGS_BYTES or state["open"] > _CELL_CHARACTERS:
                    raise self._too_large("its shared strings take over 64 MB, or one of them has over 1,000,000 characters")

        if "xl/sharedStrings.xml" in self._archive.namelist():
            for _ in self._parsed("xl/sharedStrings.xml", start, end, text):
                pass
        return strings

    def _date_styles(self) -> frozenset[int]:
        """Which cell styles show a date or a time."""
        formats: set[int] = set(_DATE_FORMATS)
        styles: list[int] = []
        inside = [False]

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "numFmt" and re.search("[dmyhs]", _LITERAL.sub("", attributes.get("formatCode", "")), re.I):
                formats.add(_whole(attributes.get("numFmtId")))
            elif name == "cellXfs":
                inside[0] = True
            elif name == "cellStyles":
                inside[0] = False
            elif name == "xf" and inside[0]:
                styles.append(_whole(attributes.get("numFmtId")))

        if "xl/styles.xml" in self._archive.namelist():
            self._read("xl/styles.xml", start)
        return frozenset(number for number, style in enumerate(styles) if style in formats)

    def _read(self, part: str, start: Callable[[str, dict[str, str]], None]) -> None:
        for _ in self._parsed(part, start, lambda _name: None, lambda _text: None):
            pass

    def _parsed(
        self,
        part: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None],
        text: Callable[[str], None],
    ) -> Iterator[None]:
        """Feed a part to the handlers, which get names without their prefix; a step for each 64 KB."""
        try:
            described = self._archive.getinfo(part)
        except KeyError:
            raise BadWorkbook(f"it has no {part}") from None
        if described.file_size > max(_RATIO_FROM, min(_PART_BYTES, _RATIO * described.compress_size)):
            raise self._too_large(f"{part} unpacks from {described.compress_size:,} to {described.file_size:,} bytes")
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _no_doctype
        with self._archive.open(described) as file:
            while block := file.read(_BLOCK_BYTES):
                parser.Parse(block)
                self.share_read = file.tell() / described.file_size
                yield
        parser.Parse(b"", True)
        yield

    def _too_large(self, cause: str) -> StageError:
        next_step = "Save the sheet as CSV, and name it as csv:."
        return StageError(SourceTooLarge(), where=str(self._path), cause=cause, next_step=next_step)


def _no_doctype(*_declared: object) -> None:
    raise BadWorkbook("a part declares a document type, which could grow without end")


class _SheetReader:
    """Handlers for the XML of a sheet, and the rows that they have put together."""

    def __init__(self, strings: list[str], date_styles: frozenset[int], epoch: datetime.datetime) -> None:
        self._strings, self._date_styles, self._epoch = strings, date_styles, epoch
        self._ready: list[Row] = []
        self._number = 0
        self._cells: list[Any] = []
        self._column = 0
        self._kind, self._is_date = "n", False
        self._pieces: list[str] = []
        self._length = 0
        self._keeps = self._in_reading = False

    def taken(self) -> list[Row]:
        """The rows that have ended since the last time."""
        ready, self._ready = self._ready, []
        return ready

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A row or cell begins where it says, or else after the last one."""
        if name == "row":
            self._number = max(self._number + 1, _whole(attributes.get("r")))
            self._cells, self._column = [], 0
        elif name == "c":
            found = _REFERENCE.match(attributes.get("r", ""))
            self._column = max(self._column + 1, _column_number(found[1])) if found else self._column + 1
            if self._column > MAX_COLUMNS:
                raise BadWorkbook(f"row {self._number} has over {MAX_COLUMNS:,} columns")
            self._kind = attributes.get("t", "n")
            self._is_date = _whole(attributes.get("s")) in self._date_styles
            self._pieces, self._length = [], 0
        elif name in ("v", "t"):
            self._keeps = not self._in_reading
        elif name == "rPh":
            self._in_reading = True

    def end(self, name: str) -> None:
        """A cell that ends is put in its column, a row among those that are ready."""
        if name in ("v", "t"):
            self._keeps = False
        elif name == "rPh":
            self._in_reading = False
        elif name == "c":
            value = self._value("".join(self._pieces))
            if value is not None:
                self._cells += [None] * (self._column - 1 - len(self._cells))
                self._cells.append(value)
        elif name == "row" and self._cells:
            self._ready.append((self._number, self._cells))

    def text(self, data: str) -> None:
        """A piece of a cell's value."""
        if self._keeps:
            self._length += len(data)
            if self._length > _CELL_CHARACTERS:
                raise BadWorkbook(f"a cell of row {self._number} has over {_CELL_CHARACTERS:,} characters")
            self._pieces.append(data)

    def _value(self, text: str) -> Any:
        if not text:
            return None
        if self._kind == "s":
            number = _whole(text)
            if not text.strip().isdecimal() or number >= len(self._strings):
                raise BadWorkbook(f"a cell of row {self._number} names the shared string {text[:20]}, which is not there")
            return self._strings[number] or None
        if self._kind == "b":
            return text.strip() == "1"
        return self._number_of(text) if self._kind == "n" else text

    def _number_of(self, text: str) -> Any:
        """A number; a date's is days since the epoch. What is none stays the text that it is."""
        try:
            number = float(text)
        except ValueError:
            return text
        if not math.isfinite(number):
            return text
        if self._is_date:
            try:
                moment = self._epoch + datetime.timedelta(seconds=round(number * 86400, 3))
            except OverflowError:
                return text
            if 0 <= number < 1:
                return moment.time().isoformat()
            return moment.date().isoformat() if number.is_integer() else moment.isoformat()
        return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _whole(text: str | None) -> int:
    return int(text) if text and text.strip().isdecimal() and len(text) < 12 else 0


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number
