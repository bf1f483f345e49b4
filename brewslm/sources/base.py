"""What a connector is: it finds a source's bytes, and reads them as rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from brewslm.rows import RawRow, SentinelRow
from brewslm.store.files import sha256

HEAD_ROWS = 20
SPREAD_ROWS = 200
MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is a sentinel row, so that one broken file can't fill the memory."""
_SPREAD_WINDOW = 50_000
_ESTIMATE_BYTES = 4 * 1024 * 1024


class SourceHints(BaseModel):
    """What a source itself says of how it should be mapped: entries for this mapper's field map."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mapper: str
    field_map: dict[str, str]


class SourceDescription(BaseModel):
    """A source, without reading all of it.

    Attributes:
        approximate_total_rows: Exact for a small file; from the line lengths of its beginning otherwise.
        columns: In the order of their first sight in the sample.
        sample_rows: At most 20, from the head.
        spread_rows: Up to 200 more, spread through the file.
    """

    model_config = ConfigDict(frozen=True)

    source_id: str
    locator: str
    resolved_path: str
    approximate_total_rows: int
    columns: list[str]
    sample_rows: list[dict[str, Any]]
    spread_rows: list[dict[str, Any]]
    hints: SourceHints | None = None


class Connector(ABC):
    """One scheme of source locators. It keeps no state: a kept copy is read by the same `rows` as the original."""

    scheme: ClassVar[str]
    grammar: ClassVar[str]
    meaning: ClassVar[str]
    extension: ClassVar[str]
    """Of the copy that is kept in the project."""

    @abstractmethod
    def file(self, reference: str) -> Path:
        """The local file with the source's content, fetched or written down first where need be.

        Raises:
            StageError(SourceNotFound, SourceIsDirectory, SourceEmpty, SourceBinary): It can't be a source.
        """

    @abstractmethod
    def all_rows(self, path: Path, content_hash: str) -> Iterator[RawRow | SentinelRow]:
        """Every row of a file, lazily and in constant memory; what can't be read as a row is a sentinel row."""

    def rows(self, path: Path, content_hash: str, limit: int | None = None) -> Iterator[RawRow | SentinelRow]:
        """The first `limit` rows (sentinels count) of a file with this content hash."""
        return islice(self.all_rows(path, content_hash), limit)

    def load(self, reference: str, *, limit: int | None = None) -> Iterator[RawRow | SentinelRow]:
        """The rows of a source, lazily."""
        path = self.file(reference)
        return self.rows(path, sha256(path), limit)

    def hints(self, reference: str) -> SourceHints | None:
        """What the source itself says of its mapping; None for a plain file."""
        return None

    def describe(self, reference: str, kept: Path | None = None) -> SourceDescription:
        """The source, from a sample of its rows.

        Args:
            kept: Its copy in a project, to be read instead of the original.
        """
        path = kept or self.file(reference)
        head, spread = self.head(path), self.spread(path)
        return SourceDescription(
            source_id=self.scheme,
            locator=f"{self.scheme}:{reference}",
            resolved_path=str(path),
            approximate_total_rows=estimated_lines(path),
            columns=_columns((*head, *spread)),
            sample_rows=head,
            spread_rows=spread,
            hints=self.hints(reference),
        )

    def columns(self, path: Path) -> list[str]:
        """The columns that a sample of a file's rows has."""
        return _columns((*self.head(path), *self.spread(path)))

    def head(self, path: Path) -> list[dict[str, Any]]:
        """The first 20 rows that can be read."""
        return list(_values(self.rows(path, ""), HEAD_ROWS))

    def spread(self, path: Path) -> list[dict[str, Any]]:
        """Rows after the head, evenly spaced over the first 50,000: for files whose lines can't be entered in the middle."""
        found: list[dict[str, Any]] = []
        stride = 1
        after_head = islice(_values(self.rows(path, "", _SPREAD_WINDOW), _SPREAD_WINDOW), HEAD_ROWS, None)
        for number, values in enumerate(after_head):
            if number % stride == 0:
                found.append(values)
            if len(found) == 2 * SPREAD_ROWS:
                found, stride = found[::2], stride * 2
        return found


def _columns(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _values(rows: Iterator[RawRow | SentinelRow], count: int) -> Iterator[dict[str, Any]]:
    return islice((row.values for row in rows if isinstance(row, RawRow)), count)


def estimated_lines(path: Path) -> int:
    """Lines of a file: counted in its first 4 MB, and scaled to its size."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(_ESTIMATE_BYTES)
    lines = start.count(b"\n") + (size <= len(start) and not start.endswith(b"\n"))
    return lines if size <= len(start) else round(lines * size / len(start))
