"""Rules about a text that repeats itself: those of Gopher (Rae et al., 2021, table A1)."""

from collections.abc import Mapping
from dataclasses import dataclass

from brewslm.filters.base import CleanedText, Filter, Verdict, kept_if
from brewslm.filters.preset import SharesPreset
from brewslm.filters.words import duplicate_shares
from brewslm.rows.reasons import RowReason


@dataclass(frozen=True)
class FewDuplicateLines(Filter):
    """Turns away a text whose lines were mostly there before. Gopher: at most 0.3 of lines and 0.2 of characters."""

    most: SharesPreset

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        parts, characters = duplicate_shares(document.words.lines)
        return kept_if(parts <= self.most.parts and characters <= self.most.characters, RowReason.DUPLICATE_LINES)


@dataclass(frozen=True)
class FewDuplicateParagraphs(Filter):
    """Turns away a text whose paragraphs were mostly there before. Gopher: at most 0.3 of them and 0.2 of characters."""

    most: SharesPreset

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        parts, characters = duplicate_shares(document.words.paragraphs)
        return kept_if(parts <= self.most.parts and characters <= self.most.characters, RowReason.DUPLICATE_PARAGRAPHS)


@dataclass(frozen=True)
class NoTopPhrase(Filter):
    """Turns away a text that says one phrase over and over. Gopher: of 2, 3, 4 words at most 0.20, 0.18, 0.16."""

    most: Mapping[int, float]

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        shares = document.words.repetition.top
        return kept_if(all(shares[n] <= share for n, share in self.most.items()), RowReason.REPEATED_PHRASE)


@dataclass(frozen=True)
class FewDuplicatePassages(Filter):
    """Turns away a text with much in passages of 5 to 10 words that came before. Gopher: from 0.15 down to 0.10."""

    most: Mapping[int, float]

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        shares = document.words.repetition.duplicated
        return kept_if(all(shares[n] <= share for n, share in self.most.items()), RowReason.DUPLICATE_PASSAGES)
