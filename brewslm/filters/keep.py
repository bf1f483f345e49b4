"""The filters of cleaning, in a few lines each."""

import hashlib
import re

from brewslm.filters.base import CleanedText, Filter, Verdict
from brewslm.rows.reasons import RowReason


class HasText(Filter):
    """Turns away a document of which nothing is left."""

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        return True if document.text.strip() else (False, RowReason.EMPTY_TEXT)


class NoPersonalData(Filter):
    """Turns away a document with personal data: the policy `block`."""

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        return (False, RowReason.PII_BLOCK) if document.findings else True


class GoodEnough(Filter):
    """Turns away a document below a quality score.

    Args:
        minimum: 0 to 1.
    """

    def __init__(self, minimum: float) -> None:
        self.minimum = minimum

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        return True if document.quality.score >= self.minimum else (False, RowReason.LOW_QUALITY)


class NotSeen(Filter):
    """Turns away a text that came before, whatever its case and spacing. It remembers every text that it lets pass."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def keeps(self, document: CleanedText) -> Verdict:
        """True, or False and the reason."""
        normal = re.sub(r"\s+", " ", document.text).strip().casefold()
        key = hashlib.sha256(normal.encode()).digest()
        if key in self._seen:
            return False, RowReason.DUPLICATE_DOCUMENT
        self._seen.add(key)
        return True
