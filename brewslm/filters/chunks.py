"""Cut a text where its sections, paragraphs and sentences end."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from brewslm.filters.preset import ChunkPreset

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Characters `start` to `end` of a text; `headings` are those that it stands under, outermost first."""

    start: int
    end: int
    text: str
    headings: tuple[str, ...]


def chunks(text: str, preset: ChunkPreset, markdown: bool) -> Iterator[Chunk]:
    """The text's chunks in order; they do not overlap, and leave out nothing but white space between them."""
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

    capacity = (preset.minimum, preset.maximum)
    splitter = MarkdownSplitter(capacity) if markdown else TextSplitter(capacity)
    headings = list(_headings(text)) if markdown else []
    for start, part in splitter.chunk_indices(text):
        yield Chunk(start, start + len(part), part, _above(headings, start))


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


def _above(headings: list[tuple[int, int, str]], start: int) -> tuple[str, ...]:
    path: list[tuple[int, str]] = []
    for offset, level, title in headings:
        if offset > start:
            break
        path = [*((above, name) for above, name in path if above < level), (level, title)]
    return tuple(title for _, title in path)
