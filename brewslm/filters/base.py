"""What a filter is: one question about one document, answered with True, or with False and the reason."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from brewslm.filters.pii import Finding
from brewslm.filters.quality import Quality
from brewslm.filters.words import WordStatistics
from brewslm.rows.reasons import RowReason

Verdict = Literal[True] | tuple[Literal[False], RowReason]


@dataclass(frozen=True, slots=True)
class CleanedText:
    """A document's text as the filters see it: mended, trimmed, and redacted if that is the policy.

    Attributes:
        text: The text.
        findings: Personal data in it.
        quality: Its score.
        words: Its counts, which all rules share.
        language: Its code, such as "en"; "und" when none was told.
    """

    text: str
    findings: tuple[Finding, ...]
    quality: Quality
    words: WordStatistics
    language: str = "und"


class Filter(ABC):
    """Keeps a document, or says why not."""

    @abstractmethod
    def keeps(self, document: CleanedText) -> Verdict:
        """True to keep it."""


def kept_if(good: bool, reason: RowReason) -> Verdict:
    """True, or False and the reason."""
    return True if good else (False, reason)


def first_reason(filters: Iterable[Filter], document: CleanedText) -> RowReason | None:
    """Why the first filter that turns the document away does so; None when all keep it."""
    for one in filters:
        verdict = one.keeps(document)
        if verdict is not True:
            return verdict[1]
    return None
