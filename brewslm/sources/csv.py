"""`csv:/path`: comma-separated values, the first row being the header."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceEmpty
from brewslm.rows import RawRow, RowReason, SentinelRow, row_id
from brewslm.sources.base import MAX_LINE_BYTES, Connector
from brewslm.sources.textfile import text_file

HEAD_CHARACTERS = 200


class CsvConnector(Connector):
    """CSV in UTF-8 (RFC 4180). A row's position is its record number after the header; every cell is a string."""

    scheme = "csv"
    grammar = "csv:/path/to/rows.csv"
    meaning = "A local file of comma-separated values with a header."
    extension = "csv"

    def file(self, reference: str) -> Path:
        """The named file."""
        return text_file(reference)

    def all_rows(self, path: Path, content_hash: str) -> Iterator[RawRow | SentinelRow]:
        """One row a record; a quoted cell may hold line breaks.

        Raises:
            StageError(SourceEmpty): Not even a header can be read.
        """
        with path.open("rb") as file:
            lines = _Lines(iter(lambda: file.readline(MAX_LINE_BYTES), b""))
            reader = csv.reader(lines, strict=True)
            header = _header(reader, path)
            position = 0
            while True:
                start = lines.begin_record()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    position += 1
                    reason = RowReason.LINE_TOO_LONG if "field larger" in str(error) else RowReason.INVALID_CSV
                    yield _sentinel(content_hash, position, start, reason, lines.head, str(error))
                    continue
                if not cells:  # a blank line is no record
                    continue
                position += 1
                if len(cells) != len(header):
                    detail = f"{len(cells)} cells, the header has {len(header)}"
                    yield _sentinel(content_hash, position, start, RowReason.WRONG_CELL_COUNT, lines.head, detail)
                elif not all(map(_is_encodable, cells)):
                    yield _sentinel(content_hash, position, start, RowReason.BAD_ENCODING, lines.head, "not UTF-8")
                else:
                    yield RawRow(row_id(content_hash, position), position, dict(zip(header, cells, strict=True)))


class _Lines:
    """Decoded lines for the csv reader, and where the record that is being read began."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines, self._offset, self.head = lines, 0, ""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if self._offset == 0:
            self._offset, line = len(line) - len(line.removeprefix(codecs.BOM_UTF8)), line.removeprefix(codecs.BOM_UTF8)
        self._offset += len(line)
        text = line.decode("utf-8", errors="surrogateescape")  # bytes that are not UTF-8 stay recognisable in their cell
        if len(self.head) < HEAD_CHARACTERS:
            self.head += text[:HEAD_CHARACTERS]
        return text

    def begin_record(self) -> int:
        """Forget the last record's head; returns the byte offset of the next."""
        self.head = ""
        return self._offset


def _header(reader: Iterator[list[str]], path: Path) -> list[str]:
    try:
        cells = next((cells for cells in reader if cells), [])
    except csv.Error as error:
        raise StageError(SourceEmpty(), where=str(path), cause=f"its header can't be read: {error}") from error
    if not cells:
        raise StageError(SourceEmpty(), where=str(path), cause="it has no header")
    return column_names([cell.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace") for cell in cells])


def column_names(cells: list[str]) -> list[str]:
    """A header's cells as names that differ: a nameless column is called by its number, a repeated name gets one."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        wanted = name = cell.strip() or f"column_{number}"
        while name in names:
            name = f"{wanted}_{number}"
            number += 1
        names.append(name)
    return names


def _is_encodable(cell: str) -> bool:
    if cell.isascii():
        return True
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _sentinel(content_hash: str, position: int, offset: int, reason: RowReason, head: str, detail: str) -> SentinelRow:
    shown = head.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace").rstrip("\r\n")
    return SentinelRow(row_id(content_hash, position), position, offset, reason, shown[:HEAD_CHARACTERS], detail)
