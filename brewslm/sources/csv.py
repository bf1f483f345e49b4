"""`csv:/path` and `tsv:/path`: separated values, the first row being the header."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceEmpty, SourceTooLarge
from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources.base import HEAD_CHARACTERS, MAX_COLUMNS, MAX_LINE_BYTES, MAX_VALUES, Connector, sentinel
from brewslm.sources.textfile import READ_BYTES, SizedLine, encoding_of, lines_of, text_file

DELIMITERS = ",;\t|"
"""In the order in which they are preferred where the records speak for several."""
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_ENCODINGS = {"cp1252": "Windows-1252 (cp1252), for it is not UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
_GUESS_BYTES = 64 * 1024
_GUESS_RECORDS = 50


class CsvConnector(Connector):
    """CSV (RFC 4180). A row's position is its record number after the header; every cell is a string."""

    scheme = "csv"
    grammar = "csv:/path/to/rows.csv"
    meaning = "A local file of separated values with a header; the delimiter (, ; tab |) and the encoding are detected."
    extension = "csv"
    delimiter: ClassVar[str | None] = None
    """None where it is detected."""

    def file(self, reference: str) -> Path:
        """The named file."""
        return text_file(reference, utf16=True)

    def all_rows(self, path: Path) -> Iterator[RawRow | SentinelRow]:
        """One row a record; a quoted cell may hold line breaks.

        Raises:
            StageError(SourceEmpty): Not even a header can be read.
            StageError(SourceTooLarge): The header has over 5,000 columns.
        """
        encoding, delimiter = self.form(path)
        with path.open("rb", buffering=READ_BYTES) as file:
            lines = _Lines(lines_of(file, encoding), delimiter)
            reader = lines.reader()
            header = _header(reader, path)
            position = 0
            while True:
                start = lines.begin_record()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except _RecordTooLong as error:
                    position, reader = position + 1, lines.reader()
                    yield sentinel(position, start, error.reason, lines.head, str(error))
                    continue
                except csv.Error as error:
                    position += 1
                    reason = RowReason.LINE_TOO_LONG if "field larger" in str(error) else RowReason.INVALID_CSV
                    yield sentinel(position, start, reason, lines.head, str(error))
                    continue
                if not cells:  # a blank line is no record
                    continue
                position += 1
                fault = _fault(cells, len(header), encoding, has_nul=lines.has_nul)
                if fault is not None:
                    yield sentinel(position, start, fault[0], lines.head, fault[1])
                else:
                    yield RawRow(position, dict(zip(header, cells, strict=True)))

    def form(self, path: Path) -> tuple[str, str]:
        """Encoding and delimiter of a file, from its beginning."""
        encoding = encoding_of(path)
        if self.delimiter is not None:
            return encoding, self.delimiter
        with path.open("rb") as file:
            return encoding, delimiter_of(file.read(_GUESS_BYTES).decode(encoding, errors="replace")) or ","

    def notes(self, path: Path) -> list[str]:
        """The encoding and the delimiter, where they are not UTF-8 and the usual one."""
        encoding, delimiter = self.form(path)
        notes = [f"read as {_ENCODINGS[encoding]}"] if encoding in _ENCODINGS else []
        return notes + ([f"its cells are separated by {_NAMES[delimiter]}"] if delimiter != (self.delimiter or ",") else [])


class TsvConnector(CsvConnector):
    """CSV whose delimiter is the tab."""

    scheme = "tsv"
    grammar = "tsv:/path/to/rows.tsv"
    meaning = "A local file of values separated by tabs, with a header; the encoding is detected."
    extension = "tsv"
    delimiter = "\t"


def delimiter_of(beginning: str) -> str | None:
    """What separates the cells: with it most records have as many cells as the header, and that is more than one.

    Returns:
        None when nothing separates the header.
    """
    scores = {delimiter: _agreement(beginning, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > (0.0, 0) else None


def _agreement(beginning: str, delimiter: str) -> tuple[float, int]:
    """Share of the first records that are as wide as the header, and that width; zeros for one column."""
    widths: list[int] = []
    try:
        for cells in csv.reader(io.StringIO(beginning, newline=""), delimiter=delimiter):
            if cells:
                widths.append(len(cells))
            if len(widths) > _GUESS_RECORDS:
                break
    except csv.Error:  # a cell that goes on beyond the beginning
        pass
    if len(widths) > 2:
        widths.pop()  # it may have been cut
    if not widths or widths[0] == 1:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


class _RecordTooLong(Exception):
    """Raised through the csv reader; another one begins anew with the next line."""

    def __init__(self, reason: RowReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class _Lines:
    """Decoded lines for the csv reader, and where the record that is being read began."""

    def __init__(self, lines: Iterator[SizedLine], delimiter: str) -> None:
        self._lines, self._delimiter = lines, delimiter
        self._offset = self._start = self._cells = 0
        self.head, self.has_nul = "", False

    def reader(self) -> Iterator[list[str]]:
        """The records from the next line on."""
        return csv.reader(self._until_too_long(), delimiter=self._delimiter, strict=True)

    def _until_too_long(self) -> Iterator[str]:
        delimiter = self._delimiter
        for text, size in self._lines:
            if not self._offset:
                text = text.removeprefix("\ufeff")
            self._offset += size
            self._cells += text.count(delimiter)
            if "\x00" in text:
                self.has_nul = True
            if len(self.head) < HEAD_CHARACTERS:
                self.head += text[:HEAD_CHARACTERS]
            if self._offset - self._start > MAX_LINE_BYTES:
                raise _RecordTooLong(RowReason.LINE_TOO_LONG, f"over {MAX_LINE_BYTES} bytes")
            if self._cells > MAX_VALUES:
                raise _RecordTooLong(RowReason.TOO_MANY_VALUES, f"over {MAX_VALUES:,} cells")
            yield text

    def begin_record(self) -> int:
        """Forget the last record's head; returns the byte offset of the next."""
        self.head, self.has_nul, self._cells, self._start = "", False, 0, self._offset
        return self._offset


def _header(reader: Iterator[list[str]], path: Path) -> list[str]:
    try:
        cells = next((cells for cells in reader if cells), [])
    except (csv.Error, _RecordTooLong) as error:
        raise StageError(SourceEmpty(), where=str(path), cause=f"its header can't be read: {error}") from error
    if not cells:
        raise StageError(SourceEmpty(), where=str(path), cause="it has no header")
    check_width(len(cells), path)
    return column_names([cell.encode("utf-8", errors="surrogatepass").decode("utf-8", errors="replace") for cell in cells])


def check_width(columns: int, path: Path) -> None:
    """See that a table is not too wide.

    Raises:
        StageError(SourceTooLarge): It has over 5,000 columns.
    """
    if columns > MAX_COLUMNS:
        raise StageError(SourceTooLarge(), where=str(path), cause=f"it has {columns:,} columns, {MAX_COLUMNS:,} at most")


def column_names(cells: list[str]) -> list[str]:
    """A header's cells as names that differ: a nameless column is called by its number, a repeated name gets one."""
    names: dict[str, None] = {}
    for number, cell in enumerate(cells, 1):
        wanted = name = cell.strip() or f"column_{number}"
        while name in names:
            name = f"{wanted}_{number}"
            number += 1
        names[name] = None
    return list(names)


def _fault(cells: list[str], width: int, encoding: str, *, has_nul: bool) -> tuple[RowReason, str] | None:
    if has_nul:
        return RowReason.NUL_CHARACTER, "a zero byte"
    if len(cells) != width:
        return RowReason.WRONG_CELL_COUNT, f"{len(cells)} cells, the header has {width}"
    if not all(map(_is_encodable, cells)):
        return RowReason.BAD_ENCODING, f"not {encoding.upper()}"
    return None


def _is_encodable(cell: str) -> bool:
    if cell.isascii():
        return True
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
