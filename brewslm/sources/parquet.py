"""`parquet:/path`: Apache Parquet, read row group by row group."""

import base64
import datetime
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceEmpty, SourceUnreadable
from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources.base import SPREAD_ROWS, SPREAD_WINDOW, Connector, SampleReach, sentinel
from brewslm.sources.csv import check_width, column_names
from brewslm.sources.textfile import PARQUET, local_file

_BATCH_ROWS = 1000
_BATCH_BYTES = 8 * 1024 * 1024
_SAMPLED_GROUPS = 20
_BUFFER_BYTES = 1024 * 1024


class ParquetConnector(Connector):
    """A row's position is its number. Dates and decimals become texts, bytes become a text or else a base64 data: address."""

    scheme = "parquet"
    grammar = "parquet:/path/to/rows.parquet"
    meaning = "A local Apache Parquet file."
    extension = "parquet"

    def file(self, reference: str) -> Path:
        """The named file.

        Raises:
            StageError(SourceUnreadable): It is not whole, or no Parquet.
            StageError(SourceEmpty): It has no row.
        """
        path, head = local_file(reference)
        if not head.startswith(PARQUET):
            cause = "it does not begin as Parquet does"
            raise StageError(SourceUnreadable(), where=str(path), cause=cause, next_step=f"Name it as file:{path}.")
        if self.estimated_rows(path) == 0:
            raise StageError(SourceEmpty(), where=str(path), cause="it has 0 rows")
        return path

    def all_rows(self, path: Path) -> Iterator[RawRow | SentinelRow]:
        """One row a row; NaN and infinity, which JSON has not, make it a sentinel.

        Raises:
            StageError(SourceUnreadable): The file is damaged.
            StageError(SourceTooLarge): It has over 5,000 columns.
        """
        position = 0
        for batch in _batches(path):
            for values in rows_of(batch):
                position += 1
                yield _row(position, values)

    def spread(self, path: Path) -> list[dict[str, Any]]:
        """Rows from the beginnings of evenly spaced row groups, and the last; of a file with few groups as of any other."""
        groups = self._group_count(path)
        if groups < _SAMPLED_GROUPS or self.estimated_rows(path) <= SPREAD_WINDOW:
            return super().spread(path)
        found: list[dict[str, Any]] = []
        for number in range(1, _SAMPLED_GROUPS):
            for batch in _batches(path, [number * groups // _SAMPLED_GROUPS]):
                sampled = (_row(0, values) for values in islice(rows_of(batch), SPREAD_ROWS // _SAMPLED_GROUPS))
                found += [row.values for row in sampled if isinstance(row, RawRow)]
                break
        last = None
        for batch in _batches(path, [groups - 1]):
            last = _row(0, list(rows_of(batch.slice(batch.num_rows - 1)))[-1])
        return [*found, last.values] if isinstance(last, RawRow) and found[-1:] != [last.values] else found

    def sample_reach(self, path: Path) -> SampleReach:
        """The whole file where it has many row groups, or is small."""
        is_reached = self._group_count(path) >= _SAMPLED_GROUPS or self.estimated_rows(path) <= SPREAD_WINDOW
        return "file" if is_reached else super().sample_reach(path)

    def estimated_rows(self, path: Path) -> int:
        """Exactly, from the file's own metadata."""
        with _opened(path) as parquet:
            return int(parquet.metadata.num_rows)

    def _group_count(self, path: Path) -> int:
        with _opened(path) as parquet:
            return int(parquet.num_row_groups)


def _opened(path: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        parquet = pyarrow.parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False, memory_map=False)
        check_width(len(parquet.schema_arrow.names), path)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from error
    return parquet


def _damaged(path: Path, error: Exception) -> StageError:
    return StageError(SourceUnreadable(), where=str(path), cause=str(error).split("\n")[0][:300])


def _batches(path: Path, groups: list[int] | None = None) -> Iterator[Any]:
    """Record batches of about 8 MB, with names that differ."""
    import pyarrow

    with _opened(path) as parquet:
        names = column_names(parquet.schema_arrow.names)
        described = parquet.metadata
        row_groups = [described.row_group(number) for number in groups or range(described.num_row_groups)]
        row_bytes = max((group.total_byte_size / max(1, group.num_rows) for group in row_groups), default=1.0)
        size = max(1, min(_BATCH_ROWS, int(_BATCH_BYTES / max(1.0, row_bytes))))
        batches = parquet.iter_batches(batch_size=size, row_groups=groups, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
            except (pyarrow.ArrowException, OSError) as error:
                raise _damaged(path, error) from error
            if batch is None:
                return
            yield batch.rename_columns(names)


def rows_of(batch: Any) -> Iterator[dict[str, Any] | Exception]:
    """The rows of a batch; what Python can't hold or decode is the error that says so, and costs its own row alone."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for number in range(batch.num_rows):
            try:
                yield batch.slice(number, 1).to_pylist()[0]
            except (ValueError, OverflowError) as error:
                yield error


class NotFinite(Exception):
    """A number that JSON has not."""


def _row(position: int, values: dict[str, Any] | Exception) -> RawRow | SentinelRow:
    if isinstance(values, Exception):
        reason = RowReason.BAD_ENCODING if isinstance(values, UnicodeDecodeError) else RowReason.INVALID_CELL
        return sentinel(position, -1, reason, "", str(values))
    try:
        return RawRow(position, {name: json_value(value) for name, value in values.items()})
    except NotFinite as error:
        return sentinel(position, -1, RowReason.NON_FINITE_NUMBER, str(values), str(error))


def json_value(value: Any) -> Any:
    """A cell as JSON has it.

    Raises:
        NotFinite: It is, or holds, NaN or infinity.
    """
    match value:
        case None | str() | bool():
            return value
        case float():
            if not math.isfinite(value):
                raise NotFinite(f"a cell is {value}")
            return value
        case int():
            return value if -(2**63) <= value < 2**64 else str(value)
        case dict():
            return {str(name): json_value(inside) for name, inside in value.items()}
        case list() | tuple():
            return [json_value(inside) for inside in value]
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case bytes():
            return _text_of(value)
        case _:  # a duration, a decimal, a UUID
            return str(value)


def _text_of(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "data:application/octet-stream;base64," + base64.b64encode(value).decode("ascii")
