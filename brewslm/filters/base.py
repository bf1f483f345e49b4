"""What a filter is: one question about one document, answered with True, or with False and the reason."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from brewslm.filters.pii import Finding
from brewslm.filters.quality import Quality
from brewslm.rows.reasons import RowReason

Verdict = Literal[True] | tuple[Literal[False], RowReason]


@dataclass(frozen=True, slots=True)
class CleanedText:
    """A document's text as the filters see it: mended, trimmed, and redacted if that is the policy."""

    text: str
    findings: tuple[Finding, ...]
    quality: Quality


class Filter(ABC):
    """Keeps a document, or says why not."""

    @abstractmethod
    def keeps(self, document: CleanedText) -> Verdict:
        """True to keep it."""


def first_reason(filters: tuple[Filter, ...], document: CleanedText) -> RowReason | None:
    """Why the first filter that turns the document away does so; None when all keep it."""
    for one in filters:
        verdict = one.keeps(document)
        if verdict is not True:
            return verdict[1]
    return None
