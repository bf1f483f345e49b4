"""`xlsx:/path`: the first sheet of an Excel workbook, read cell by cell in constant memory.

Not by a library (docs/decisions/0007): python-calamine lays a sheet out in memory, so that two cells at its far corners end
the whole process, and gives an error such as #N/A as an empty cell; openpyxl keeps all shared strings, whatever they weigh.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceEmpty, SourceUnreadable
from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources.base import HEAD_CHARACTERS, Connector, sentinel
from brewslm.sources.csv import check_width, column_names
from brewslm.sources.textfile import ZIP, local_file
from brewslm.sources.workbook import BadWorkbook, Workbook

_ESTIMATE_ROWS = 20_000


class XlsxConnector(Connector):
    """A row's position is its number in the sheet. An empty cell is null; a whole number is an integer, a date a text."""

    scheme = "xlsx"
    grammar = "xlsx:/path/to/rows.xlsx"
    meaning = "The first visible sheet of a local Excel workbook; its first row is the header."
    extension = "xlsx"

    def file(self, reference: str) -> Path:
        """The named file.

        Raises:
            StageError(SourceUnreadable): It is damaged, locked, or no workbook.
        """
        path, head = local_file(reference)
        if not head.startswith(ZIP):
            cause = "it is no .xlsx workbook"
            next_step = "Save it as .xlsx without a password, or as CSV."
            raise StageError(SourceUnreadable(), where=str(path), cause=cause, next_step=next_step)
        with _opened(path):
            return path

    def all_rows(self, path: Path) -> Iterator[RawRow | SentinelRow]:
        """One row a row of the sheet that has a cell; cells beyond the header's make it a sentinel.

        Raises:
            StageError(SourceEmpty): The sheet has no row.
            StageError(SourceUnreadable, SourceTooLarge): It is damaged, or larger than can be read safely.
        """
        with _opened(path) as workbook:
            rows = workbook.rows()
            _, titles = next(rows, (0, []))
            if not titles:
                raise StageError(SourceEmpty(), where=str(path), cause=f"the sheet {workbook.sheet} has no row")
            check_width(len(titles), path)
            header = column_names(["" if title is None else str(title) for title in titles])
            for position, cells in rows:
                if len(cells) > len(header):
                    detail = f"{len(cells)} cells, the header has {len(header)}"
                    head = str(cells)[:HEAD_CHARACTERS]
                    yield sentinel(position, -1, RowReason.WRONG_CELL_COUNT, head, detail)
                else:
                    padded: list[Any] = [*cells, *[None] * (len(header) - len(cells))]
                    yield RawRow(position, dict(zip(header, padded, strict=True)))

    def estimated_rows(self, path: Path) -> int:
        """Exact up to 20,000 rows; more are estimated by the size of the sheet."""
        with _opened(path) as workbook:
            count = -1  # the header
            for count, _ in enumerate(workbook.rows()):
                if count == _ESTIMATE_ROWS:
                    return max(count, round(count / max(workbook.share_read, 1e-9)))
        return max(count, 0)

    def notes(self, path: Path) -> list[str]:
        """Which sheet is read, where there are several."""
        with _opened(path) as workbook:
            others = ", ".join(workbook.other_sheets[:5])
            return [f"the sheet {workbook.sheet} is read; not read: {others}"] if others else []


@contextmanager
def _opened(path: Path) -> Iterator[Workbook]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield Workbook(archive, path)
    except (
        zipfile.BadZipFile,
        BadWorkbook,
        ExpatError,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
    ) as error:
        raise StageError(SourceUnreadable(), where=str(path), cause=f"its workbook can't be read: {error}") from error
