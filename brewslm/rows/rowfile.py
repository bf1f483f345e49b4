"""RowFile: JSON lines that carry a row_id, an index beside them, and one committed length that cuts both."""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from brewslm.rows.identity import id_parts, source_key
from brewslm.rows.rowindex import RowIndex
from brewslm.store.files import write_all

Span = tuple[int, int]
"""From which byte to before which byte of a file."""
_BUFFER_BYTES = 256 * 1024
_RECORD = struct.Struct("<3Q")


class RowFile:
    """A JSONL file of rows, with an index of where each row_id stands.

    The committed length is kept by the owner (a table, or a manifest): whatever lies beyond it was written by somebody who
    was cut off, and is removed from file and index before the next append. The lines are the truth; the index is made from
    them, and made anew where it does not cover them.

    Args:
        path: The `.jsonl` file; its index is `<path>.index`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = RowIndex(path.with_name(path.name + ".index"))

    @contextmanager
    def append(self, committed_bytes: int) -> Iterator["Appender"]:
        """Cut the file to its committed length, then append. An error in the block takes the appended rows out again."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._cut(committed_bytes)
        with self.path.open("ab", buffering=0) as file, self.index.path.open("ab", buffering=0) as index:
            indexed = index.tell()
            appender = Appender(file, index, committed_bytes)
            try:
                yield appender
                appender.flush()
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(committed_bytes)
                index.truncate(indexed)
                raise

    def _cut(self, committed_bytes: int) -> None:
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < committed_bytes:
            raise OSError(f"{self.path.name} holds {size} bytes, but {committed_bytes} were committed")
        if size > committed_bytes:
            os.truncate(self.path, committed_bytes)
        self.index.cut(committed_bytes)
        if self._indexed_until() != committed_bytes:
            with self.index.path.open("wb") as index:
                for offset, row in self._located(((0, committed_bytes),)):
                    source, position = id_parts(row["row_id"])
                    index.write(_RECORD.pack(source_key(source), position, offset))

    def rows(self, spans: Sequence[Span] | None = None) -> Iterator[dict[str, Any]]:
        """The rows of some spans (of the whole file, when left out) in order; constant memory."""
        return (row for _, row in self._located(spans))

    def find(self, row_id: str, spans: Sequence[Span] | None = None) -> dict[str, Any] | None:
        """The row with this id, the last one where several have it; None when the spans do not hold it."""
        *_, found = None, *self.find_all(row_id, spans)
        return found

    def find_all(self, row_id: str, spans: Sequence[Span] | None = None) -> Iterator[dict[str, Any]]:
        """Every row with this id, in order, by the index; what the index does not cover is read."""
        if not self.path.exists():
            return
        source, position = id_parts(row_id)
        with self.path.open("rb") as file:
            for offset in self.index.offsets(source_key(source), position):
                if spans is None or any(start <= offset < end for start, end in spans):
                    file.seek(offset)
                    line = file.readline()
                    row = orjson.loads(line) if line.endswith(b"\n") else {}  # a writer may be cutting it off
                    if row.get("row_id") == row_id:
                        yield row
        covered, needle = self._indexed_until(), row_id.encode()
        tail = [(max(start, covered), end) for start, end in spans or ((0, self.path.stat().st_size),) if end > covered]
        for _, line in self._lines(tail):
            if needle in line and (row := orjson.loads(line))["row_id"] == row_id:
                yield row

    def find_many(self, row_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The rows with these ids, the last one where several have it, by one look through the index."""
        if not row_ids or not self.path.exists():
            return {}
        places = [(source_key(source), position) for source, position in map(id_parts, row_ids)]
        wanted, found = set(row_ids), {}
        with self.path.open("rb") as file:
            for offset in self.index.offsets_of(places):
                file.seek(offset)
                line = file.readline()
                row = orjson.loads(line) if line.endswith(b"\n") else {}
                if row.get("row_id") in wanted:
                    found[row["row_id"]] = row
        return found

    def _located(self, spans: Sequence[Span] | None) -> Iterator[tuple[int, dict[str, Any]]]:
        return ((offset, orjson.loads(line)) for offset, line in self._lines(spans))

    def _lines(self, spans: Sequence[Span] | None) -> Iterator[tuple[int, bytes]]:
        """Whole lines with their offsets."""
        if not self.path.exists():
            return
        with self.path.open("rb", buffering=_BUFFER_BYTES) as file:
            for start, end in ((0, self.path.stat().st_size),) if spans is None else spans:
                file.seek(start)
                offset = start
                while offset < end and (line := file.readline()) and offset + len(line) <= end:
                    yield offset, line
                    offset += len(line)

    def _indexed_until(self) -> int:
        """Where the lines end that the index covers."""
        last = self.index.last_offset()
        if last is None or not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            file.seek(last)
            return last + len(file.readline())


class Appender:
    """What `RowFile.append` yields.

    Args:
        file, index: Open unbuffered for appending: after an error nothing is left in a buffer that closing would write.
        start: The file's length now.
    """

    def __init__(self, file: Any, index: Any, start: int) -> None:
        self._file, self._index = file, index
        self._lines: list[bytes] = []
        self._records: list[bytes] = []
        self._waiting = 0
        self.length = start
        """Bytes in the file, to be committed by its owner."""
        self.count = 0
        """Rows appended."""

    def write(self, row: dict[str, Any]) -> None:
        """Append one row; it must carry `row_id`."""
        source, position = id_parts(row["row_id"])
        line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
        self._take([line], len(line), _RECORD.pack(source_key(source), position, self.length))

    def write_lines(self, lines: Sequence[bytes], source: str, positions: Sequence[int]) -> None:
        """Append rows of one source that are JSON lines already.

        Args:
            source: Their row_ids' source part.
            positions: One a line.
        """
        import numpy as np

        lengths = np.fromiter(map(len, lines), "<u8", len(lines))
        records = np.empty((len(lines), 3), "<u8")
        records[:, 0], records[:, 1] = source_key(source), positions
        records[:, 2] = self.length + np.cumsum(lengths) - lengths
        self._take(lines, int(lengths.sum()), records.tobytes())

    def _take(self, lines: Sequence[bytes], size: int, records: bytes) -> None:
        self._lines += lines
        self._records.append(records)
        self.count += len(lines)
        self.length += size
        self._waiting += size
        if self._waiting > _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand what waits to the operating system."""
        write_all(self._file, b"".join(self._lines))
        write_all(self._index, b"".join(self._records))
        self._lines, self._records, self._waiting = [], [], 0
