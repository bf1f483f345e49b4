"""What a connector is: it finds a source's bytes, and reads them as rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from brewslm.rows import RawRow, RowBlock, RowReason, SentinelRow

HEAD_ROWS = 20
SPREAD_ROWS = 200
HEAD_CHARACTERS = 200
MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line, record or element is a sentinel row, so that one broken file can't fill the memory."""
MAX_COLUMNS = 5000
"""A wider source is refused and a wider object is a sentinel row: 220 sampled rows of it must fit in memory."""
MAX_VALUES = 1_000_000
"""Of one line, record or element: each costs far more memory as a value than it did as text."""
BLOCK_ROWS = 8192
BLOCK_BYTES = 256 * 1024
"""Of a block's rows: so much that what is done once a block costs little, so little that they stay in the processor's cache."""
SAMPLE_BYTES = 32 * 1024 * 1024
SCAN_BYTES = 64 * 1024 * 1024
"""A file up to this size is scanned to its end for the sample; of a larger one, the first 50,000 rows."""
SPREAD_WINDOW = 50_000
_ESTIMATE_BYTES = 4 * 1024 * 1024

SampleReach = Literal["file", "head"]
"""Whether the sampled rows are spread over the whole source, or over its first rows only."""


class SourceHints(BaseModel):
    """What a source itself says of how it should be mapped: entries for this mapper's field map."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mapper: str
    field_map: dict[str, str]


class SourceDescription(BaseModel):
    """A source, without reading all of it.

    Attributes:
        approximate_total_rows: Exact for a small file; from the line lengths of its beginning otherwise.
        columns: In the order of their first sight in the sample; at most 5,000.
        sample_rows: At most 20, from the head.
        spread_rows: Up to 400 more, spread as far as `sample_reach` says, and the last row so far.
        notes: What was found out about how to read it, such as an encoding.
    """

    model_config = ConfigDict(frozen=True)

    source_id: str
    locator: str
    resolved_path: str
    approximate_total_rows: int
    columns: list[str]
    sample_rows: list[dict[str, Any]]
    spread_rows: list[dict[str, Any]]
    sample_reach: SampleReach = "head"
    notes: list[str] = []
    hints: SourceHints | None = None


class Connector(ABC):
    """One scheme of source locators. It keeps no state: a kept copy is read by the same `rows` as the original."""

    scheme: ClassVar[str]
    grammar: ClassVar[str]
    meaning: ClassVar[str]
    extension: ClassVar[str]
    """Of the copy that is kept in the project."""
    reads_a_path: ClassVar[bool] = True
    """Of a plugin: whether its reference is a path on this machine, which the API holds against the folders that it may read."""

    @abstractmethod
    def file(self, reference: str) -> Path:
        """The local file with the source's content, fetched, unpacked or written down first where need be.

        Raises:
            StageError(SourceNotFound, SourceIsDirectory, SourceEmpty, SourceBinary, SourceUnreadable, SourceTooLarge): It
                can't be a source.
        """

    def head_file(self, reference: str, rows: int) -> Path | None:
        """A local file with the first `rows` rows alone, where having the whole source would be dear; None where `file` is cheap.

        Raises:
            StageError: As `file`.
        """
        return None

    def found(self, reference: str, limit: int | None = None) -> tuple[Path, bool]:
        """A local file with the source's rows, and whether it has them all: of `limit` rows, the head may be enough.

        Raises:
            StageError: As `file`.
        """
        head = self.head_file(reference, limit) if limit is not None else None
        return (self.file(reference), True) if head is None else (head, False)

    @abstractmethod
    def all_rows(self, path: Path) -> Iterator[RawRow | SentinelRow]:
        """Every row of a file, lazily and in constant memory; what can't be read as a row is a sentinel row.

        Raises:
            StageError(SourceEmpty, SourceUnreadable, SourceTooLarge): The file as a whole can't be read.
        """

    def blocks(self, path: Path) -> Iterator[RowBlock]:
        """The same rows in blocks, for whoever reads all of them; a connector that can read faster so overrides this."""
        return blocks_of(self.all_rows(path))

    def reader(self, path: Path) -> "Connector":
        """The connector that reads a file which `file` gave: itself, but for `file:`, which looks at the content."""
        return self

    def rows(self, path: Path, limit: int | None = None) -> Iterator[RawRow | SentinelRow]:
        """The first `limit` rows of a file; sentinels count."""
        return islice(self.all_rows(path), limit)

    def load(self, reference: str, *, limit: int | None = None) -> Iterator[RawRow | SentinelRow]:
        """The rows of a source, lazily."""
        return self.rows(self.file(reference), limit)

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
            approximate_total_rows=self.estimated_rows(path),
            columns=_columns((*head, *spread)),
            sample_rows=head,
            spread_rows=spread,
            sample_reach=self.sample_reach(path),
            notes=self.notes(path),
            hints=self.hints(reference),
        )

    def columns(self, path: Path) -> list[str]:
        """The columns that a sample of a file's rows has."""
        return _columns((*self.head(path), *self.spread(path)))

    def head(self, path: Path) -> list[dict[str, Any]]:
        """The first 20 rows that can be read, or fewer when they are large."""
        return [row.values for row in head_rows(self.rows(path, SPREAD_WINDOW))]

    def spread(self, path: Path) -> list[dict[str, Any]]:
        """Rows after the head, evenly spaced, and the last one: for files whose lines can't be entered in the middle.

        A file sorted by its label begins with one and ends with another, so that the last row shows what no stride may hit.
        """
        found: list[tuple[dict[str, Any], int]] = []
        stride, total = 1, 0
        window = None if path.stat().st_size <= SCAN_BYTES else SPREAD_WINDOW
        rows = self.rows(path, window)
        for _ in head_rows(rows):
            pass
        last: dict[str, Any] | None = None
        for number, values in enumerate(_values(rows)):
            last = values
            if number % stride == 0:
                found.append((values, weight(values)))
                total += found[-1][1]
            while len(found) == 2 * SPREAD_ROWS or (total > SAMPLE_BYTES and len(found) > 1):
                found, stride = found[::2], stride * 2
                total = sum(size for _, size in found)
        spread = [values for values, _ in found]
        return spread if last is None or spread[-1] is last else [*spread, last]

    def sample_reach(self, path: Path) -> SampleReach:
        """How far `spread` reaches."""
        return "file" if path.stat().st_size <= SCAN_BYTES else "head"

    def estimated_rows(self, path: Path) -> int:
        """About how many rows the file has."""
        return estimated_lines(path)

    def notes(self, path: Path) -> list[str]:
        """What was found out about how to read the file, for a person."""
        return []


def blocks_of(rows: Iterable[RawRow | SentinelRow]) -> Iterator[RowBlock]:
    """Rows in blocks that fit in memory, whatever the rows' size."""
    block, size = RowBlock(), 0
    for row in rows:
        block.add(row)
        size += weight(row.values) if isinstance(row, RawRow) else HEAD_CHARACTERS
        if size > BLOCK_BYTES or len(block) == BLOCK_ROWS:
            yield block
            block, size = RowBlock(), 0
    if len(block):
        yield block


def sentinel(position: int, offset: int, reason: RowReason, raw: bytes | str, detail: str) -> SentinelRow:
    """The row that stands for what can't be read.

    Args:
        raw: What stands there; its first 200 characters are kept. In a text, undecodable bytes are surrogates.
        detail: What was measured.
    """
    if isinstance(raw, str):
        raw = raw[:HEAD_CHARACTERS].encode("utf-8", errors="surrogatepass")
    head = raw[: 4 * HEAD_CHARACTERS].decode("utf-8", errors="replace").rstrip("\r\n")[:HEAD_CHARACTERS]
    return SentinelRow(position, offset, reason, head, detail)


def weight(values: dict[str, Any]) -> int:
    """About how many characters a row has."""
    return sum(len(value) if isinstance(value, str) else len(str(value)) for value in values.values())


def _columns(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))[:MAX_COLUMNS]


def _values(rows: Iterator[RawRow | SentinelRow]) -> Iterator[dict[str, Any]]:
    return (row.values for row in rows if isinstance(row, RawRow))


def head_rows(rows: Iterator[RawRow | SentinelRow]) -> Iterator[RawRow]:
    """Takes from a source's rows those that its head shows: the first 20 that can be read, and fewer when they are large."""
    room = SAMPLE_BYTES
    for row in islice((row for row in rows if isinstance(row, RawRow)), HEAD_ROWS):
        yield row
        room -= weight(row.values)
        if room < 0:
            return


def estimated_lines(path: Path) -> int:
    """Lines of a file: counted in its first 4 MB, and scaled to its size."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(_ESTIMATE_BYTES)
    lines = start.count(b"\n") + (size <= len(start) and not start.endswith(b"\n"))
    return lines if size <= len(start) else max(1, round(lines * size / len(start)))
