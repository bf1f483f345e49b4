"""Trim the lines that are not the document's own, and count them by kind."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from brewslm.filters.mend import Mended
from brewslm.filters.origins import Origins
from brewslm.filters.preset import CleaningPreset, LinesPreset, PagesPreset

PATTERN = "pattern"
HEADER = "header"
FOOTER = "footer"
NO_END_MARK = "no_end_mark"
FEW_WORDS = "few_words"
LONG_WORD = "long_word"
PHRASE = "phrase"

_END_MARKS = (".", "?", "!", '"', "'", "”", "’", "…", "。", "？", "！")
_CUT_OFF = ("...", "…")


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A trimmed text.

    Attributes:
        text: With at most one blank line in a row, and no white space at the ends of lines.
        origins: Where its lines stood in the raw text.
        kinds: Trimmed lines by kind: pattern, header, footer, no_end_mark, few_words, long_word, phrase.
        lines: All lines that came in.
    """

    text: str
    origins: Origins
    kinds: Mapping[str, int]
    lines: int

    @property
    def share(self) -> float:
        """Of the lines that came in, those that were trimmed; 0 to 1."""
        return sum(self.kinds.values()) / self.lines


def trim(mended: Mended, page_starts: Sequence[int], preset: CleaningPreset, lines_preset: LinesPreset | None = None) -> Trimmed:
    """Trim whole lines: the preset's patterns, headers and footers that repeat from page to page, and what C4 trims.

    Args:
        mended: The text.
        page_starts: Where its pages begin, in characters of the raw text; () when it has none.
        preset: Patterns, and when a line is a header or footer.
        lines_preset: What C4 trims (Raffel et al., 2020, section 2.2); None for nothing of it.
    """
    lines = [line.rstrip() for line in mended.text.split("\n")]
    edges = _page_edges(lines, _pages(mended.origins, page_starts), preset.pages)
    matches = _pattern(preset.boilerplate).match if preset.boilerplate else None
    kind_of = _line_rule(lines_preset) if lines_preset else None
    kinds: Counter[str] = Counter()
    kept: list[int] = []
    for number, line in enumerate(lines):
        if not line:
            if kept and lines[kept[-1]]:
                kept.append(number)
            continue
        bare = line.lstrip()
        kind = edges.get(number) or (PATTERN if matches and matches(bare) else kind_of(bare) if kind_of else None)
        if kind:
            kinds[kind] += 1
        else:
            kept.append(number)
    if kept and not lines[kept[-1]]:
        kept.pop()
    left = [lines[number] for number in kept]
    return Trimmed("\n".join(left), mended.origins.kept(kept, left), dict(kinds), len(lines))


def _pages(origins: Origins, page_starts: Sequence[int]) -> list[range]:
    """The line numbers of each page; what stands before the first start is a page too."""
    firsts = sorted({0, *(bisect_left(origins.raw_starts, start) for start in page_starts)})
    return [range(first, after) for first, after in pairwise([*firsts, len(origins.raw_starts)])]


def _page_edges(lines: Sequence[str], pages: Sequence[range], preset: PagesPreset) -> dict[int, str]:
    """The lines that are a header or footer, by number."""
    if len(pages) < preset.minimum_pages:
        return {}
    filled = [[number for number in page if lines[number]] for page in pages]
    tops = [page[: min(preset.edge_lines, (len(page) + 1) // 2)] for page in filled]
    bottoms = [page[-min(preset.edge_lines, len(page) // 2) or len(page) :] for page in filled]  # a short page has no line twice
    headers = _repeated(lines, tops, preset.share)
    return {**dict.fromkeys(_repeated(lines, bottoms, preset.share), FOOTER), **dict.fromkeys(headers, HEADER)}


def _repeated(lines: Sequence[str], edges: Sequence[Sequence[int]], share: float) -> list[int]:
    """Of the lines at one edge of every page, those that more than this share of the pages have."""
    masks = [{number: _mask(lines[number]) for number in edge} for edge in edges]
    counts = Counter(mask for page in masks for mask in set(page.values()))
    return [number for page in masks for number, mask in page.items() if counts[mask] > share * len(edges)]


def _mask(line: str) -> str:
    """The line as it is on every page: page numbers differ, spacing and case may."""
    return re.sub(r"\d+", "0", " ".join(line.split())).casefold()


def _line_rule(preset: LinesPreset) -> Callable[[str], str | None]:
    """What is wrong with a line, or None."""

    def kind_of(line: str) -> str | None:
        words = line.split()
        if len(line) > preset.longest_word and max(map(len, words)) > preset.longest_word:
            return LONG_WORD
        if preset.end_mark and (not line.endswith(_END_MARKS) or line.endswith(_CUT_OFF)):
            return NO_END_MARK
        if len(words) < preset.minimum_words:
            return FEW_WORDS
        lower = line.lower()
        return PHRASE if any(phrase in lower for phrase in preset.phrases) else None

    return kind_of


@cache
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE)
