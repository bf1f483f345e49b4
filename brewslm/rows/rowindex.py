"""Where each row_id stands in a row file: 24 bytes a row, in the order of the file."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

RECORD_BYTES = 24
_BLOCK = 65_536


class RowIndex:
    """Records of (source key, position, offset), each an unsigned 64-bit number; a row_id names source and position.

    It is read from end to end: five million rows are 120 MB, which takes a tenth of a second, and asks for nothing to be
    sorted while rows are written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def cut(self, committed_bytes: int) -> None:
        """Forget rows that begin at or beyond this offset."""
        count = self._count()
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._offset(middle) < committed_bytes else (low, middle)
        if self.path.exists() and self.path.stat().st_size != low * RECORD_BYTES:
            os.truncate(self.path, low * RECORD_BYTES)

    def last_offset(self) -> int | None:
        """Of the last row; None where there is none."""
        count = self._count()
        return self._offset(count - 1) if count else None

    def offsets(self, source: int, position: int) -> Iterator[int]:
        """Where rows of this source and position begin."""
        for block in self._blocks():
            yield from block["offset"][(block["position"] == position) & (block["source"] == source)].tolist()

    def offsets_of(self, places: Sequence[tuple[int, int]]) -> Iterator[int]:
        """Where rows of any of these sources and positions begin, in the order of the file."""
        import numpy as np

        sources, positions = np.array(places, "<u8").T
        for block in self._blocks():
            yield from block["offset"][np.isin(block["source"], sources) & np.isin(block["position"], positions)].tolist()

    def positions(self, source: int, spans: Sequence[tuple[int, int]]) -> "PositionSet":
        """Which positions of a source have a row in these spans."""
        found = PositionSet()
        for block in self._blocks():
            block = block[block["source"] == source]
            for start, end in spans if len(block) else ():
                found.add(block["position"][(block["offset"] >= start) & (block["offset"] < end)])
        return found

    def _blocks(self) -> "Iterator[np.ndarray[Any, Any]]":
        import numpy as np

        kind = np.dtype([("source", "<u8"), ("position", "<u8"), ("offset", "<u8")])
        for start in range(0, self._count(), _BLOCK):
            yield np.fromfile(self.path, kind, _BLOCK, offset=start * RECORD_BYTES)

    def _count(self) -> int:
        return self.path.stat().st_size // RECORD_BYTES if self.path.exists() else 0

    def _offset(self, number: int) -> int:
        with self.path.open("rb") as file:
            file.seek(number * RECORD_BYTES + 16)
            return int.from_bytes(file.read(8), "little")


class PositionSet:
    """Positions in a source, one bit each."""

    def __init__(self) -> None:
        import numpy as np

        self._bits = np.zeros(1, np.uint8)
        self._any = False

    def __bool__(self) -> bool:
        return self._any

    def add(self, positions: "np.ndarray[Any, Any]") -> None:
        """Put positions in."""
        import numpy as np

        if not len(positions):
            return
        self._any = True
        missing = int(positions.max() >> 3) + 1 - len(self._bits)
        if missing > 0:
            self._bits = np.concatenate([self._bits, np.zeros(max(missing, len(self._bits)), np.uint8)])
        np.bitwise_or.at(self._bits, positions >> 3, (1 << (positions & 7)).astype(np.uint8))

    def has(self, positions: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Which of these are in it: booleans."""
        import numpy as np

        byte = np.minimum(positions >> 3, len(self._bits) - 1)
        inside = (positions >> 3) < len(self._bits)
        found: np.ndarray[Any, Any] = inside & ((self._bits[byte] >> (positions & 7).astype(np.uint8)) & 1).astype(bool)
        return found
