"""How much a text looks like writing: a score from 0 to 1 of five parts, each of which can be read on its own."""

import re
from dataclasses import dataclass

ENOUGH_WORDS = 100
LONGEST_SENTENCE = 60


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


def quality(text: str, trimmed_share: float = 0.0) -> Quality:
    """Score a mended text.

    Args:
        trimmed_share: The share of its lines that were trimmed as boilerplate.
    """
    words = re.findall(r"\w+", text)
    first = [word.casefold() for word in words[:200]]
    # A distinct share of one half is what prose of that length has; more of it says nothing.
    diversity = min(1.0, 2 * len(set(first)) / len(first)) if first else 0.0
    return Quality(
        length=0.30 * min(1.0, len(words) / ENOUGH_WORDS),
        diversity=0.20 * diversity,
        structure=0.20 * _structure(text),
        own_text=0.15 * (1.0 - trimmed_share) if words else 0.0,
        encoding=0.15 * _readable(text),
    )


def _structure(text: str) -> float:
    """The share of words that stand in a sentence (or heading, or list item) of a length people write."""
    sentences = [len(re.findall(r"\w+", one)) for one in re.split(r"(?<=[.!?…。！？])\s+|\n\s*\n|\n(?=\s*[-*#\d])", text)]
    total = sum(sentences)
    return sum(count for count in sentences if count <= LONGEST_SENTENCE) / total if total else 0.0


def _readable(text: str) -> float:
    solid = re.sub(r"\s+", "", text)
    broken = solid.count("\ufffd")
    readable = len(re.findall(r"[\w.,;:!?'\"()’“”–—-]", solid))
    return max(0.0, (readable - 5 * broken) / len(solid)) if solid else 0.0
