"""What is counted in a text once, for every rule that asks."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from brewslm.filters.ngrams import Repetition, repetition

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

_LETTER = re.compile(r"[^\W\d_]")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha() and not chr(code).isspace())
_NO_LETTERS_OR_DIGITS = bytes(code for code in _NO_LETTERS if not chr(code).isdigit())
_SPACES = bytes(32 if chr(code).isspace() else code for code in range(256))  # some that part texts don't part bytes
# Thai, Lao, Tibetan, Burmese, Khmer, Japanese and Chinese.
_UNSPACED = re.compile("[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*(?:\s|$)")


class WordStatistics:
    """Counts over one text, each made when it is first asked for.

    A word is what stands between white space, with the punctuation that is written to it.

    Attributes:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def words(self) -> list[str]:
        """The words, in order."""
        return self.text.split()

    @cached_property
    def lengths(self) -> "NDArray[int64]":
        """The characters of each word."""
        import numpy as np

        return np.fromiter(map(len, self.words), np.int64, len(self.words))

    @cached_property
    def alphabetic(self) -> int:
        """Words with at least one letter."""
        return self._with(_LETTER, _NO_LETTERS)

    @cached_property
    def spoken(self) -> int:
        """Words with at least one letter or digit."""
        return self._with(_LETTER_OR_DIGIT, _NO_LETTERS_OR_DIGITS)

    def _with(self, wanted: re.Pattern[str], unwanted: bytes) -> int:
        """Words with a wanted character; in ASCII those of which something is left without the unwanted ones."""
        if self.text.isascii():
            return len(self.text.encode().translate(_SPACES, unwanted).split())
        odd = [word for word in self.words if not word.isalpha()]
        return len(self.words) - len(odd) + sum(1 for word in odd if wanted.search(word))

    @cached_property
    def is_spaced(self) -> bool:
        """Whether its words stand apart: where a tenth is of scripts that write without spaces, counting words says nothing."""
        return self.text.isascii() or 10 * len(_UNSPACED.findall(self.text)) < len(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not empty, without the white space around them."""
        return [line for line in map(str.strip, self.text.split("\n")) if line]

    @cached_property
    def paragraphs(self) -> list[str]:
        """What stands between blank lines."""
        return [part for part in map(str.strip, _PARAGRAPH.split(self.text)) if part]

    @cached_property
    def sentences(self) -> int:
        """Sentences that end with their mark."""
        return len(_SENTENCE_END.findall(self.text))

    @cached_property
    def repetition(self) -> Repetition:
        """How much of the text is n-grams that come again."""
        return repetition(self.words, self.lengths)


def duplicate_shares(parts: Sequence[str]) -> tuple[float, float]:
    """Of lines or paragraphs: the share that was there before, and the share of characters in them; 0 to 1."""
    distinct = set(parts)
    characters = sum(map(len, parts))
    again = characters - sum(map(len, distinct))
    return 1 - len(distinct) / len(parts) if parts else 0.0, again / characters if characters else 0.0
