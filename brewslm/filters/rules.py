"""Rules about the words and lines of a text, each with its reason.

Most are those of Gopher (Rae et al., "Scaling Language Models", 2021, appendix A.1.1) and C4 (Raffel et al., "Exploring the
Limits of Transfer Learning", 2020, section 2.2), made for the web; presets/cleaning.yaml says which are on, and how strict.
"""

from dataclasses import dataclass

from brewslm.filters.base import CleanedText, Filter, Verdict, kept_if
from brewslm.filters.stop_words import STOP_WORDS
from brewslm.rows.reasons import RowReason


@dataclass(frozen=True)
class EnoughWords(Filter):
    """Turns away a text with fewer words than a paragraph has. Gopher: 50."""

    minimum: int

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        words = document.words
        return kept_if(not words.is_spaced or words.spoken >= self.minimum, RowReason.TOO_FEW_WORDS)


@dataclass(frozen=True)
class NotTooManyWords(Filter):
    """Turns away what is no one document, such as a dump. Gopher: 100,000 words."""

    maximum: int

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        return kept_if(document.words.spoken <= self.maximum, RowReason.TOO_MANY_WORDS)


@dataclass(frozen=True)
class WordLength(Filter):
    """Turns away l e t t e r s and wordsrunintoeachother: most often a broken extraction. Gopher: a mean of 3 to 10."""

    minimum: float
    maximum: float

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        if not document.words.words or not document.words.is_spaced:
            return True
        mean = float(document.words.lengths.mean())
        return kept_if(self.minimum <= mean <= self.maximum, RowReason.MEAN_WORD_LENGTH)


@dataclass(frozen=True)
class FewSymbols(Filter):
    """Turns away a text full of # or of ellipses: tag clouds, teasers. Gopher: at most 0.1 a word, each."""

    maximum: float

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        text, limit = document.text, self.maximum * len(document.words.words)
        dots = text.count("...") + text.count("…")
        return kept_if(max(text.count("#"), dots) <= limit, RowReason.SYMBOL_TO_WORD_RATIO)


@dataclass(frozen=True)
class FewBulletLines(Filter):
    """Turns away a text that is one list. Gopher: at most 0.9 of its lines begin with a bullet."""

    maximum: float

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        lines = document.words.lines
        bullets = sum(line.startswith(("•", "-", "*", "‣", "●")) for line in lines)
        return kept_if(bullets <= self.maximum * len(lines), RowReason.BULLET_LINES)


@dataclass(frozen=True)
class FewEllipsisLines(Filter):
    """Turns away a list of teasers. Gopher: at most 0.3 of its lines end with an ellipsis."""

    maximum: float

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        lines = document.words.lines
        cut = sum(line.endswith(("...", "…")) for line in lines)
        return kept_if(cut <= self.maximum * len(lines), RowReason.ELLIPSIS_LINES)


@dataclass(frozen=True)
class AlphabeticWords(Filter):
    """Turns away a text of numbers and signs. Gopher: at least 0.8 of its words have a letter."""

    minimum: float

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        return kept_if(document.words.alphabetic >= self.minimum * len(document.words.words), RowReason.FEW_ALPHABETIC_WORDS)


@dataclass(frozen=True)
class StopWords(Filter):
    """Turns away what is no running text of its language: word lists, code. Gopher: at least 2 distinct English stop words.

    A language without a list here is not judged.
    """

    minimum: int

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        known = STOP_WORDS.get(document.language)
        if known is None:
            return True
        return (
            True
            if known is None
            else kept_if(len(known.intersection(document.words.words)) >= self.minimum, RowReason.NO_STOP_WORDS)
        )


@dataclass(frozen=True)
class Sentences(Filter):
    """Turns away a text of few sentences with an end mark: menus, tables. C4: at least 5."""

    minimum: int

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        return kept_if(document.words.sentences >= self.minimum, RowReason.TOO_FEW_SENTENCES)


class NoLoremIpsum(Filter):
    """Turns away placeholder text, as C4 does."""

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        return kept_if("lorem ipsum" not in document.text.casefold(), RowReason.LOREM_IPSUM)


class NoCurlyBraces(Filter):
    """Turns away what may be code by its first curly brace, as C4 does."""

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        return kept_if("{" not in document.text, RowReason.CURLY_BRACES)
