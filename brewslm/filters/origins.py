"""Where the lines of a cleaned text stood in the raw text."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate


def line_starts(lines: Sequence[str]) -> list[int]:
    """The offset at which each line begins when all are joined by a newline."""
    return list(accumulate((len(line) + 1 for line in lines[:-1]), initial=0)) if lines else []


@dataclass(frozen=True, slots=True)
class Origins:
    """One entry for each line of a text; offsets are characters.

    Attributes:
        starts: Where the line begins in the text.
        raw_starts: Where its source line begins in the raw text.
        raw_ends: Where its source line ends there, before its line break.
        unaltered: Whether the line is what its source line begins with.
    """

    starts: Sequence[int]
    raw_starts: Sequence[int]
    raw_ends: Sequence[int]
    unaltered: Sequence[bool]

    def to_raw(self, start: int, end: int) -> tuple[int, int]:
        """The raw characters that `start` to `end` of the text came from.

        Exact where the lines at both ends are unaltered; else as far as the bounds of their source lines.
        """
        if not self.starts:
            return 0, 0
        first = max(0, bisect_right(self.starts, start) - 1)
        last = max(first, bisect_right(self.starts, max(start, end - 1)) - 1)
        begin = self._place(first, start) if self.unaltered[first] else self.raw_starts[first]
        finish = self._place(last, end) if self.unaltered[last] else self.raw_ends[last]
        return begin, max(begin, finish)

    def kept(self, numbers: Sequence[int], lines: Sequence[str]) -> "Origins":
        """The origins of a text of some of these lines.

        Args:
            numbers: Which lines, ascending.
            lines: What they now are, without line breaks: the lines themselves, or with white space cut from their ends.
        """
        return Origins(
            line_starts(lines),
            [self.raw_starts[number] for number in numbers],
            [self.raw_ends[number] for number in numbers],
            [self.unaltered[number] for number in numbers],
        )

    def _place(self, line: int, offset: int) -> int:
        return min(self.raw_starts[line] + offset - self.starts[line], self.raw_ends[line])


@dataclass(frozen=True, slots=True)
class Replacements:
    """Parts of a text that were replaced, such as personal data by placeholders.

    Attributes:
        before: (start, end) of each in the text before, in order, none overlapping another.
        after: (start, end) of what now stands there.
    """

    before: Sequence[tuple[int, int]]
    after: Sequence[tuple[int, int]]

    def to_before(self, start: int, end: int) -> tuple[int, int]:
        """Where characters `start` to `end` of the text after stood before: exact, but that no replacement is cut in two."""
        return self._place(start, 0), self._place(end, 1)

    def _place(self, offset: int, side: int) -> int:
        """The offset before; inside a replacement its beginning (side 0) or end (side 1)."""
        last = bisect_right(self.after, offset, key=lambda span: span[0] + side) - 1
        if last < 0:
            return offset
        if offset < self.after[last][1]:
            return self.before[last][side]
        return self.before[last][1] + offset - self.after[last][1]
