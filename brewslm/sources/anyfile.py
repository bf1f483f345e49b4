"""`file:/path`: any local file that another connector can read, packed or not."""

import codecs
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceUnreadable
from brewslm.rows import RawRow, RowBlock, SentinelRow
from brewslm.sources.base import Connector, SourceDescription
from brewslm.sources.csv import CsvConnector, TsvConnector, delimiter_of
from brewslm.sources.json import JsonConnector
from brewslm.sources.jsonl import JsonlConnector
from brewslm.sources.parquet import ParquetConnector
from brewslm.sources.textfile import HEAD_BYTES, PARQUET, ZIP, local_file, text_file, utf16_of
from brewslm.sources.unpack import is_packed, unpacked
from brewslm.sources.xlsx import XlsxConnector

_JSONL, _JSON, _CSV, _TSV = JsonlConnector(), JsonConnector(), CsvConnector(), TsvConnector()
_PARQUET, _XLSX = ParquetConnector(), XlsxConnector()
FORMATS: tuple[Connector, ...] = (_JSONL, _JSON, _CSV, _TSV, _PARQUET, _XLSX)
_LINES = (".jsonl", ".ndjson")


class FileConnector(Connector):
    """Looks at the content, then at the name, and leaves the reading to the connector that it chose."""

    scheme = "file"
    grammar = "file:/path/to/rows.jsonl.gz"
    meaning = "A local file in any of these formats, known by its content; .gz and .zst are unpacked."
    extension = "file"

    def file(self, reference: str) -> Path:
        """The named file, or what is packed in it.

        Raises:
            StageError(SourceTooLarge): It unpacks to more than is allowed.
        """
        path, head = local_file(reference)
        if is_packed(head):
            path = unpacked(path)
        return self.reader(path).file(str(path))

    def reader(self, path: Path) -> Connector:
        """The connector for this content.

        Raises:
            StageError(SourceUnreadable, SourceBinary): There is none.
        """
        path, head = local_file(str(path))
        if head.startswith(PARQUET):
            return _PARQUET
        if head.startswith(ZIP):
            return _zipped(path)
        text_file(str(path), utf16=True)
        return _for_text(path, head)

    def all_rows(self, path: Path) -> Iterator[RawRow | SentinelRow]:
        """As the chosen connector."""
        return self.reader(path).all_rows(path)

    def blocks(self, path: Path) -> Iterator[RowBlock]:
        """As the chosen connector."""
        return self.reader(path).blocks(path)

    def describe(self, reference: str, kept: Path | None = None) -> SourceDescription:
        """As the chosen connector, under the locator that was given."""
        path = kept or self.file(reference)
        described = self.reader(path).describe(str(path), path)
        return described.model_copy(update={"locator": f"{self.scheme}:{reference}"})

    def columns(self, path: Path) -> list[str]:
        """As the chosen connector."""
        return self.reader(path).columns(path)

    def head(self, path: Path) -> list[dict[str, Any]]:
        """As the chosen connector."""
        return self.reader(path).head(path)

    def spread(self, path: Path) -> list[dict[str, Any]]:
        """As the chosen connector."""
        return self.reader(path).spread(path)


def _zipped(path: Path) -> Connector:
    try:
        with zipfile.ZipFile(path) as archive:
            if "xl/workbook.xml" in archive.namelist():
                return _XLSX
            cause = f"it is a zip file of {len(archive.namelist()):,} files"
    except zipfile.BadZipFile as error:
        raise StageError(SourceUnreadable(), where=str(path), cause=f"its zip file can't be read: {error}") from error
    raise StageError(SourceUnreadable(), where=str(path), cause=cause, next_step="Unpack it, and name the file with the rows.")


def _for_text(path: Path, head: bytes) -> Connector:
    named = path.suffix.lower()
    body = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if body.startswith(b"{"):
        return _JSONL
    if body.startswith(b"["):  # lines of arrays are no rows, but a name may still say that lines are meant
        return _JSONL if named in _LINES else _JSON
    if named in _LINES or named == ".json":
        return _JSONL
    if named == ".tsv":
        return _TSV
    encoding = utf16_of(head) or "utf-8"
    if named == ".csv" or delimiter_of(head[:HEAD_BYTES].decode(encoding, errors="replace")) is not None:
        return _CSV
    raise StageError(
        SourceUnreadable(),
        where=str(path),
        cause="it is text, but neither JSON nor a table",
        next_step="Name the scheme that it is meant in; see brewslm sources.",
    )
