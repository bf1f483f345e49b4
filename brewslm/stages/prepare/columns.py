"""A column of the sources, row by row beside the rows that were made from them."""

from collections.abc import Iterator, Sequence
from typing import Any

from brewslm.errors import StageError
from brewslm.reasons.refusals import ColumnMissing, SourceChanged
from brewslm.rows import RawRow, SentinelRow
from brewslm.sources import CONNECTORS
from brewslm.stages.prepare.adapters import as_text
from brewslm.stages.prepare.job import ImportedRows
from brewslm.store.files import sha256


class SourceColumn:
    """The value that each row's source line has in a column.

    Rows of an import stand in the order of their source, so that both are read once, side by side.

    Raises:
        StageError(SourceChanged): A kept source is gone, or not what was ingested.
        StageError(ColumnMissing): A source has no such column.
    """

    def __init__(self, imports: Sequence[ImportedRows], column: str) -> None:
        self._imports, self._column = {one.run_id: one for one in imports}, column
        self._reading = ""
        self._rows: Iterator[RawRow | SentinelRow] = iter(())
        for one in imports:
            self._check(one)

    def of(self, row: dict[str, Any]) -> str:
        """The value as text; "" where the source's line has none. Rows must come in the order of their file."""
        if row["import_run"] not in self._imports:
            return ""
        if row["import_run"] != self._reading:
            self._reading = row["import_run"]
            one = self._imports[self._reading]
            self._rows = CONNECTORS[one.scheme].rows(one.source)
        for raw in self._rows:
            if raw.position == row["position"]:
                value = raw.values.get(self._column) if isinstance(raw, RawRow) else None
                return "" if value is None else as_text(value)
        return ""

    def _check(self, one: ImportedRows) -> None:
        found = sha256(one.source) if one.source.exists() else None
        if found != (one.kept_sha256 or one.content_hash):
            cause = "it is gone" if found is None else "its SHA-256 differs"
            raise StageError(SourceChanged(), where=f"sources/{one.source.name}", cause=cause)
        columns = CONNECTORS[one.scheme].columns(one.source)
        if self._column not in columns:
            cause = f"{one.run_id}'s source has {', '.join(columns)}"
            next_step = "Name a column that every import's source has."
            raise StageError(ColumnMissing(), f"there is no column {self._column}", cause=cause, next_step=next_step)
