"""Cut a text where its sections, paragraphs and sentences end, into pieces measured in tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from brewslm.filters.preset import ChunkPreset
from brewslm.filters.tokens import Tokens

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")
_SAMPLE = 700
_MARGIN = 0.85
"""A text is denser in places than it is on the whole; with so much less room few pieces must be cut again."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Characters `start` to `end` of a text; `headings` are those that it stands under, outermost first."""

    start: int
    end: int
    tokens: int
    text: str
    headings: tuple[str, ...]


def chunks(text: str, preset: ChunkPreset, markdown: bool, tokens: Tokens) -> Iterator[Chunk]:
    """The text's chunks in order; they do not overlap, and leave out nothing but white space between them.

    The splitter could count tokens itself, but encodes each place many times over, at 0.2 MB/s. So it counts characters, as many
    as the tokens are in this text; then each piece is encoded once, and one that has too many tokens is cut again.
    """
    if not text.strip():
        return
    ratio = _characters_per_token(text, tokens)
    capacity = (max(1, int(preset.minimum * ratio * _MARGIN)), max(1, int(preset.maximum * ratio * _MARGIN)))
    above = _Above(text) if markdown else None
    for start, piece, count in _fitting(text, capacity, preset.maximum, markdown, tokens):
        yield Chunk(start, start + len(piece), count, piece, above.at(start) if above else ())


def _characters_per_token(text: str, tokens: Tokens) -> float:
    """By the text's beginning, middle and end."""
    middle = max(0, len(text) // 2 - _SAMPLE // 2)
    sample = [text] if len(text) <= 3 * _SAMPLE else [text[:_SAMPLE], text[middle : middle + _SAMPLE], text[-_SAMPLE:]]
    return sum(map(len, sample)) / max(1, sum(tokens.counts(sample)))


def _fitting(text: str, capacity: tuple[int, int], most: int, markdown: bool, tokens: Tokens) -> Iterator[tuple[int, str, int]]:
    """(offset, piece, tokens), none with more than `most` tokens but a single character that has them."""
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

    splitter = MarkdownSplitter(capacity) if markdown else TextSplitter(capacity)
    pieces = splitter.chunk_indices(text)
    for (start, piece), count in zip(pieces, tokens.counts([piece for _, piece in pieces]), strict=True):
        if count <= most or len(piece) == 1:
            yield start, piece, count
            continue
        smaller = min(len(piece) - 1, max(1, int(len(piece) * most / count * _MARGIN)))
        for inner, part, inner_count in _fitting(piece, (smaller, smaller), most, markdown, tokens):
            yield start + inner, part, inner_count


class _Above:
    """The headings above a place; places are asked for in order."""

    def __init__(self, text: str) -> None:
        self._coming = _headings(text)
        self._next = next(self._coming, None)
        self._path: list[tuple[int, str]] = []

    def at(self, start: int) -> tuple[str, ...]:
        while self._next is not None and self._next[0] <= start:
            _, level, title = self._next
            self._path = [*((above, name) for above, name in self._path if above < level), (level, title)]
            self._next = next(self._coming, None)
        return tuple(title for _, title in self._path)


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """(offset, level, title) of each heading outside of fenced code."""
    offset, fenced = 0, False
    for line in text.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        match = None if fenced else _HEADING.match(line)
        if match:
            yield offset, len(match[1]), match[2]
        offset += len(line) + 1
