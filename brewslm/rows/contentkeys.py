"""Which rows say something new: the content hashes of the accepted rows, on disk, in memory that does not grow with them."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from brewslm.rows.identity import KEY_BYTES
from brewslm.store.files import write_all

if TYPE_CHECKING:
    import numpy as np

    Keys = np.ndarray[Any, Any]

RUN_ROWS = 1 << 17
_FILTER_BITS = 27


class ContentKeys:
    """Answers which rows are new, and keeps the keys of those that are.

    A key is half of a SHA-256, as two 64-bit numbers. Files hold runs of 131,072 keys, each run sorted. A filter of 16 MB says
    of most keys that they are new; only where it does not are the runs searched. So a duplicate is decided by its key, never by
    the filter, and memory does not grow with the rows (beyond some 30 million of them the filter helps less and less).

    Args:
        path: The file for the keys of these rows; an error in the block takes it away.
        earlier: Files of rows that were accepted before.
    """

    def __init__(self, path: Path, earlier: Sequence[Path]) -> None:
        import numpy as np

        self._path = path
        self._filter = np.zeros(1 << (_FILTER_BITS - 3), np.uint8)
        self._runs: list[tuple[Path, int, int]] = []
        self._recent: list[Keys] = []
        self._written = 0
        for known in earlier:
            for start in range(0, known.stat().st_size // KEY_BYTES, RUN_ROWS):
                self._runs.append((known, start, self._mark(_read(known, start))))

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("wb", buffering=0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._write_runs(everything=True)
                os.fsync(self._file.fileno())
        except BaseException:
            self._path.unlink(missing_ok=True)
            raise
        finally:
            self._file.close()
        if kind is not None:
            self._path.unlink(missing_ok=True)

    def take(self, digests: Sequence[bytes]) -> list[bool]:
        """Of a batch of SHA-256 digests, which are new, the first of equal ones included. Those are kept."""
        import numpy as np

        if not digests:
            return []
        keys = np.frombuffer(b"".join(digests), "<u8").reshape(-1, 4)[:, :2]
        order = np.argsort(keys[:, 0], kind="stable")
        ordered = keys[order]
        first, second = ordered[:, 0], ordered[:, 1]
        is_new = np.ones(len(keys), bool)
        is_new[order[1:]] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        doubtful = np.flatnonzero(is_new & self._filtered(keys))
        if len(doubtful):
            is_new[doubtful] = ~self._known(keys[doubtful])
        self._keep(ordered if is_new.all() else ordered[is_new[order]])
        return is_new.tolist()

    def _keep(self, fresh: "Keys") -> None:
        """Put new keys, which are sorted, among the recent ones: a few arrays, each at least twice as long as the next."""
        import numpy as np

        if not len(fresh):
            return
        self._mark(fresh)
        self._recent.append(fresh)
        while len(self._recent) > 1 and len(self._recent[-2]) < 2 * len(self._recent[-1]):
            self._recent[-2:] = [_sorted(np.concatenate(self._recent[-2:]))]
        self._write_runs()

    def _known(self, keys: "Keys") -> Any:
        """Which keys are in a run, or among the recent ones."""
        import numpy as np

        found: Any = np.zeros(len(keys), bool)
        for run in self._every_run():
            # Two keys with one first half and another second: 1 in 10^19. The row would be kept, not lost.
            place = np.minimum(np.searchsorted(run[:, 0], keys[:, 0]), len(run) - 1)
            found |= (run[place, 0] == keys[:, 0]) & (run[place, 1] == keys[:, 1])
        return found

    def _every_run(self) -> "Iterator[Keys]":
        """One by one: the pages of a run on disk count as memory while it is mapped."""
        import numpy as np

        yield from self._recent
        for path, start, count in self._runs:
            yield np.memmap(path, "<u8", "r", offset=start * KEY_BYTES, shape=(count, 2))

    def _filtered(self, keys: "Keys") -> "Keys":
        """Which keys may be known already: the filter has both bits."""
        first, second = (self._filter[byte] & bit for byte, bit in map(_bits, keys.T))
        maybe: Keys = (first > 0) & (second > 0)
        return maybe

    def _mark(self, keys: "Keys") -> int:
        import numpy as np

        for byte, bit in map(_bits, keys.T):
            np.bitwise_or.at(self._filter, byte, bit)
        return len(keys)

    def _write_runs(self, *, everything: bool = False) -> None:
        import numpy as np

        waiting = sum(map(len, self._recent))
        while waiting >= RUN_ROWS or (everything and waiting):
            joined = np.concatenate(self._recent)
            run, rest = _sorted(joined[:RUN_ROWS]), joined[RUN_ROWS:]
            write_all(self._file, run.tobytes())
            self._runs.append((self._path, self._written, len(run)))
            self._written += len(run)
            self._recent, waiting = [_sorted(rest)] if len(rest) else [], len(rest)


def _sorted(keys: "Keys") -> "Keys":
    import numpy as np

    return keys[np.argsort(keys[:, 0], kind="stable")]


def _bits(half: "Keys") -> "tuple[Keys, Keys]":
    """Where the filter has a bit for half of each key: the byte, and the bit in it."""
    import numpy as np

    place = half & ((1 << _FILTER_BITS) - 1)
    return (place >> 3).astype(np.intp), np.uint8(1) << (place & 7).astype(np.uint8)


def _read(path: Path, start: int) -> "Keys":
    import numpy as np

    return np.fromfile(path, "<u8", 2 * RUN_ROWS, offset=start * KEY_BYTES).reshape(-1, 2)
