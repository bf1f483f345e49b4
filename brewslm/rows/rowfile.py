"""RowFile: JSON lines that carry a row_id, an index beside them, and one committed length that cuts both."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (row_id TEXT PRIMARY KEY, content_key TEXT NOT NULL, offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_content ON rows (content_key);
CREATE INDEX IF NOT EXISTS by_offset ON rows (offset);
"""


class RowFile:
    """A JSONL file of rows with an index of row_id and content_key.

    The committed length is kept by the owner (a table, or a manifest): whatever lies beyond it was written by somebody who
    was cut off, and is removed from file and index before the next append.

    Args:
        path: The `.jsonl` file; its index is `<path>.index`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index_path = path.with_name(path.name + ".index")

    @contextmanager
    def append(self, committed_bytes: int) -> Iterator["Appender"]:
        """Cut the file to its committed length, then append. An error in the block takes the appended rows out again."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        index = sqlite3.connect(self.index_path, isolation_level=None)
        try:
            index.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")
            self._cut(index, committed_bytes)
            with self.path.open("ab") as file:
                index.execute("BEGIN")
                appender = Appender(file, index, committed_bytes)
                try:
                    yield appender
                    file.flush()
                    os.fsync(file.fileno())
                    index.execute("COMMIT")
                except BaseException:
                    index.execute("ROLLBACK")
                    file.truncate(committed_bytes)
                    raise
        finally:
            index.close()

    def _cut(self, index: sqlite3.Connection, committed_bytes: int) -> None:
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < committed_bytes:
            raise OSError(f"{self.path.name} holds {size} bytes, but {committed_bytes} were committed")
        if size > committed_bytes:
            os.truncate(self.path, committed_bytes)
        index.execute("DELETE FROM rows WHERE offset >= ?", (committed_bytes,))

    def rows(self, committed_bytes: int | None = None) -> Iterator[dict[str, Any]]:
        """The rows in order, up to the committed length; constant memory."""
        if not self.path.exists():
            return
        read = 0
        with self.path.open("rb") as file:
            for line in file:
                read += len(line)
                if committed_bytes is not None and read > committed_bytes:
                    return
                yield orjson.loads(line)

    def find(self, row_id: str, committed_bytes: int | None = None) -> dict[str, Any] | None:
        """The row with this id, by its index; None when it is not here."""
        if not self.index_path.exists():
            return None
        index = sqlite3.connect(f"file:{self.index_path}?mode=ro", uri=True)
        try:
            found = index.execute("SELECT offset FROM rows WHERE row_id = ?", (row_id,)).fetchone()
        finally:
            index.close()
        if found is None or (committed_bytes is not None and found[0] >= committed_bytes):
            return None
        with self.path.open("rb") as file:
            file.seek(found[0])
            row: dict[str, Any] = orjson.loads(file.readline())
            return row


class Appender:
    """What `RowFile.append` yields."""

    def __init__(self, file: Any, index: sqlite3.Connection, start: int) -> None:
        self._file, self._index = file, index
        self.length = start
        """Bytes in the file, to be committed by its owner."""
        self.count = 0
        """Rows appended."""

    def is_new(self, row_id: str, content_key: str) -> bool:
        """Whether neither this row nor another with the same content stands in the file."""
        found = self._index.execute("SELECT 1 FROM rows WHERE row_id = ? OR content_key = ? LIMIT 1", (row_id, content_key))
        return found.fetchone() is None

    def write(self, row: dict[str, Any], content_key: str = "") -> None:
        """Append one row; it must carry `row_id`. A row_id that stands there already keeps its first place in the index."""
        line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
        self._file.write(line)
        self._index.execute("INSERT OR IGNORE INTO rows VALUES (?, ?, ?)", (row["row_id"], content_key, self.length))
        self.length += len(line)
        self.count += 1
