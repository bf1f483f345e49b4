"""What a detector is: one kind of personal data, and where it stands in a text."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """Characters `start` to `end` of the text that was read are of this type. It never holds the value."""

    type: str
    start: int
    end: int


class Text:
    """A text as the detectors read it: every character where it was, but with plain digits, spaces and hyphens.

    Args:
        raw: Any text.

    Attributes:
        plain: As long as `raw`; full-width and Arabic digits, no-break spaces and typographic hyphens are the ASCII ones.
    """

    def __init__(self, raw: str) -> None:
        self.plain = raw if raw.isascii() else _ODD.sub(lambda match: _PLAIN[match.group()], raw)

    @cached_property
    def low(self) -> str:
        """In lower case, as long as `plain`: `str.lower` makes two characters of İ."""
        low = self.plain.lower()
        return low if len(low) == len(self.plain) else "".join(one.lower()[0] for one in self.plain)

    @cached_property
    def numbers(self) -> tuple[Span, ...]:
        """Where four or more digits stand close together.

        The digits are looked for in bytes, where all are alike: eight times faster than a class of characters in `re`.
        """
        alike = self.plain.encode("ascii", "replace").translate(_DIGITS_ALIKE)
        found: list[Span] = []
        place = alike.find(b"0")
        while place >= 0:
            match = _DENSE.match(self.plain, place)
            if match:
                found.append(match.span())
            end = match.end() if match else place + 1
            place = alike.find(b"0", end)
        return tuple(found)

    @cached_property
    def regions(self) -> tuple[Span, ...]:
        """The numbers of six digits or more, with 32 characters around them: all that a detector of long numbers needs to read.

        In order, and apart from each other.
        """
        return _widened([span for span in self.numbers if _LONG.match(self.plain, *span)], len(self.plain), 32, 32)

    @cached_property
    def announced(self) -> tuple[Span, ...]:
        """All numbers with what stands before them: enough for a word that says what they are, and a month's name."""
        return _widened(self.numbers, len(self.plain), 80, 24)

    def matches(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """What the pattern matches in the regions."""
        for start, end in self.regions:
            yield from pattern.finditer(self.plain, start, end)

    def anchored(self, word: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """What the pattern matches where the word (in lower case) stands: a plain search for a word is what is fast."""
        place = self.low.find(word)
        while place >= 0:
            match = pattern.match(self.plain, place)
            if match:
                yield match
            place = self.low.find(word, match.end() if match else place + 1)


def _widened(spans: Sequence[Span], length: int, left: int, right: int) -> tuple[Span, ...]:
    """The spans with so much around them; those that then touch are one."""
    found: list[Span] = []
    for start, end in spans:
        start, end = max(0, start - left), min(length, end + right)
        if found and start <= found[-1][1]:
            start = found.pop()[0]
        found.append((start, end))
    return tuple(found)


class Detector(ABC):
    """Finds one type of personal data. Detectors may overlap each other: `find_pii` decides who wins."""

    type: ClassVar[str]

    @abstractmethod
    def spans(self, text: Text) -> Iterator[Span]:
        """Start and end of each value, in any order."""


_DENSE = re.compile(r"[0-9](?:[^0-9]{0,3}[0-9]){3,}")
_DIGITS_ALIKE = bytes(48 if 48 <= code < 58 else 32 for code in range(256))
_LONG = re.compile(r"[0-9](?:[^0-9]{0,3}[0-9]){5}")
_PLAIN = (
    {chr(first + digit): str(digit) for first in (0xFF10, 0x0660, 0x06F0, 0x0966) for digit in range(10)}
    | dict.fromkeys("\u00a0\u2007\u2009\u202f\u3000", " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\uff0d", "-")
    | {"\uff20": "@", "\uff0e": ".", "\uff0b": "+"}
)
_ODD = re.compile(f"[{''.join(_PLAIN)}]")
