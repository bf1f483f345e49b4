"""Which documents equal, or nearly equal, an earlier one; remembered on disk, so that memory doesn't grow with them."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from brewslm.filters.minhash import band_keys, similarity
from brewslm.filters.preset import NearDuplicatePreset

# An uncommitted document is cut back with the rest of a killed run, so nothing waits for the disk.
_OPEN = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;"


class _Remembered:
    """A table of keys and the documents that have them, in a file of the run.

    Args:
        path: A file of its own.
    """

    _table: str

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.executescript(_OPEN + self._table)

    def commit(self) -> None:
        """Keep what was remembered so far: to be called before the documents it belongs to are written down as done."""
        self._database.commit()

    def forget_after(self, document: int) -> None:
        """Drop what was remembered of documents with a greater number: a run that was killed goes on behind this one."""
        with self._database:
            self._database.execute("DELETE FROM remembered WHERE document > ?", (document,))

    def close(self) -> None:
        """Commit and close the file."""
        self._database.commit()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class ExactDuplicates(_Remembered):
    """Finds documents whose text came before, whatever its case and spacing."""

    _table = "CREATE TABLE IF NOT EXISTS remembered (key BLOB PRIMARY KEY, document INTEGER NOT NULL) WITHOUT ROWID;"

    def of(self, document: int, text: str) -> int | None:
        """The earlier document with this text; None when there is none, and then this one is remembered."""
        key = hashlib.blake2b(" ".join(text.split()).casefold().encode(), digest_size=16).digest()
        query = "INSERT INTO remembered VALUES (?, ?) ON CONFLICT DO NOTHING"
        if self._database.execute(query, (key, document)).rowcount:
            return None
        with closing(self._database.execute("SELECT document FROM remembered WHERE key = ?", (key,))) as found:
            return int(found.fetchone()[0])


class NearDuplicates(_Remembered):
    """Finds documents that nearly equal an earlier one.

    Only documents that were kept are compared with, so a chain of small changes keeps its first, and those that have moved
    far enough from it. What shares a band of the signature is a candidate; its text is read again and compared itself.

    Args:
        path: The file that remembers.
        text_of: The cleaned text of a document that was kept.
        preset: How alike, and how far to look.
    """

    _table = "CREATE TABLE IF NOT EXISTS remembered (key INTEGER, document INTEGER, PRIMARY KEY (key, document)) WITHOUT ROWID;"

    def __init__(self, path: Path, text_of: Callable[[int], str], preset: NearDuplicatePreset) -> None:
        super().__init__(path)
        self._text_of = text_of
        self._preset = preset

    def of(self, document: int, text: str) -> int | None:
        """The earlier document that this one nearly equals; None when there is none, and then this one is remembered.

        Args:
            document: Its number, greater than that of every one before it.
            text: Its cleaned text.
        """
        keys: list[int] = band_keys([text])[0].view("int64").tolist()
        holders = {key: self._holders(key) for key in keys}
        counts = Counter(holder for found in holders.values() for holder in found)
        likely = sorted(counts, key=lambda holder: (-counts[holder], holder))[: self._preset.candidates]
        for candidate in likely:
            if similarity(text, self._text_of(candidate)) >= self._preset.jaccard:
                return candidate
        self._remember(document, (key for key, found in holders.items() if len(found) < self._preset.documents_per_band))
        return None

    def _holders(self, key: int) -> list[int]:
        query = "SELECT document FROM remembered WHERE key = ? LIMIT ?"
        return [row[0] for row in self._database.execute(query, (key, self._preset.documents_per_band))]

    def _remember(self, document: int, keys: Iterable[int]) -> None:
        query = "INSERT OR IGNORE INTO remembered VALUES (?, ?)"
        self._database.executemany(query, ((key, document) for key in keys))
