"""Whole lines of a row file from any place on, forward or backward, in constant memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path

_BLOCK_BYTES = 256 * 1024


def lines_from(path: Path, start: int, end: int, needles: Sequence[bytes] = ()) -> Iterator[tuple[int, bytes]]:
    """Lines between two ends of lines, in their order, each with its offset.

    Args:
        needles: In small letters; a line without one of them, its ASCII letters made small, is passed over. Whole blocks are
            passed over without being cut into lines, so that a rare word is found in a large file at once.
    """
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (block := file.read(min(_BLOCK_BYTES, end - start))):
            if not block.endswith(b"\n"):
                block += file.readline()
            if _holds(block, needles):
                yield from _cut(block, start, needles)
            start += len(block)


def lines_before(path: Path, start: int, end: int, needles: Sequence[bytes] = ()) -> Iterator[tuple[int, bytes]]:
    """As `lines_from`, the last one first."""
    size = _BLOCK_BYTES
    with path.open("rb") as file:
        while end > start:
            begin = max(start, end - size)
            file.seek(begin)
            block = file.read(end - begin)
            if begin > start:
                whole = block.find(b"\n", 0, len(block) - 1) + 1
                if not whole:  # a line is longer than the block
                    size *= 2
                    continue
                block, begin = block[whole:], begin + whole
            if _holds(block, needles):
                yield from reversed(list(_cut(block, begin, needles)))
            end = begin


def _cut(block: bytes, offset: int, needles: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    for line in block.splitlines(keepends=True):
        if not needles or _holds(line, needles):
            yield offset, line
        offset += len(line)


def _holds(block: bytes, needles: Sequence[bytes]) -> bool:
    small = block.lower() if needles else b""
    return all(needle in small for needle in needles)
