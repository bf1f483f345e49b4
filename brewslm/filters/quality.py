"""How much a text looks like writing: a score from 0 to 1 of five parts, each of which can be read on its own."""

import re
import string
from dataclasses import dataclass

from brewslm.filters.words import WordStatistics

ENOUGH_WORDS = 100
LONGEST_SENTENCE = 60
_SENTENCE_BREAK = re.compile(r"[.!?…。！？]\s+|\n\s*\n|\n(?=\s*[-*#\d])")
_UNREADABLE = re.compile(r"[^\w\s.,;:!?'\"()’“”–—-]+")
_READABLE_ASCII = (string.ascii_letters + string.digits + string.whitespace + "_.,;:!?'\"()-").encode()


@dataclass(frozen=True, slots=True)
class Quality:
    """The five parts, each from 0 to its most, which stands beside it.

    Attributes:
        length: 0.30; grows with the words, up to 100.
        diversity: 0.20; distinct words among the first 200, as a share.
        structure: 0.20; sentences that end, and are no longer than 60 words.
        own_text: 0.15; lines that were not boilerplate.
        encoding: 0.15; letters, digits and punctuation rather than symbols and broken characters.
    """

    length: float
    diversity: float
    structure: float
    own_text: float
    encoding: float

    @property
    def score(self) -> float:
        """Their sum, rounded to three places."""
        return round(self.length + self.diversity + self.structure + self.own_text + self.encoding, 3)


def quality(words: WordStatistics, trimmed_share: float = 0.0) -> Quality:
    """Score a mended text.

    Args:
        words: Its statistics.
        trimmed_share: The share of its lines that were trimmed as boilerplate.
    """
    first = re.findall(r"\w+", " ".join(words.words[:200]).casefold())[:200]
    # A distinct share of one half is what prose of that length has; more of it says nothing.
    diversity = min(1.0, 2 * len(set(first)) / len(first)) if first else 0.0
    return Quality(
        length=0.30 * min(1.0, words.spoken / ENOUGH_WORDS),
        diversity=0.20 * diversity,
        structure=0.20 * _structure(words.text) if first else 0.0,
        own_text=0.15 * (1.0 - trimmed_share) if first else 0.0,
        encoding=0.15 * _readable(words.text),
    )


def _structure(text: str) -> float:
    """The share of words that stand in a sentence (or heading, or list item) of a length people write."""
    sentences = [len(one.split()) for one in _SENTENCE_BREAK.split(text)]
    total = sum(sentences)
    return sum(count for count in sentences if count <= LONGEST_SENTENCE) / total if total else 0.0


def _readable(text: str) -> float:
    """The share of characters that are, white space apart; a broken one weighs five times."""
    solid = len("".join(text.split()))
    if not solid:
        return 0.0
    if text.isascii():
        unreadable = len(text.encode().translate(None, _READABLE_ASCII))
    else:
        unreadable = sum(map(len, _UNREADABLE.findall(text)))
    return max(0.0, (solid - unreadable - 5 * text.count("\ufffd")) / solid)
