"""Plain texts, for `language_modeling`."""

from typing import Any

from brewslm.errors import StageError
from brewslm.mappers.base import Field, Mapper, Refused, as_number
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows import RowReason


class TextOnly(Mapper):
    """A text column → {text}."""

    id = "text_only"
    task_profile = "language_modeling"
    meaning = "A text column alone."
    fields = {"text": Field(("text", "content", "body", "document", "article", "code", "markdown"), "What is to be continued.")}
    options = {"min_chars": "Texts with fewer characters than this are rejected; white space around a text is not counted."}

    def set_options(self, options: dict[str, str]) -> None:
        """Read min_chars.

        Raises:
            StageError(InvalidRequest): It is no whole number from 0.
        """
        shortest = as_number(options.get("min_chars", 0))
        if shortest is None or shortest < 0 or not shortest.is_integer():
            raise StageError(InvalidRequest(), "min_chars can't be used", cause="it must be a whole number from 0")
        self._shortest = int(shortest)

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """The text, if it is long enough."""
        text = self.text(values, "text", RowReason.MISSING_TEXT, RowReason.EMPTY_TEXT)
        if isinstance(text, Refused):
            return text
        length = len(text.strip())
        if length < self._shortest:
            return Refused(RowReason.TOO_SHORT, f"{length} characters, min_chars is {self._shortest}")
        return {"text": text}
