"""A text and its label, or its labels, for `classification`."""

from typing import Any

from brewslm.errors import StageError
from brewslm.mappers.base import Field, Mapper, Refused, as_label, as_number, no_text
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows import RowReason


class LabelToClassification(Mapper):
    """Text and label columns → {text, label}; where the label is a list → {text, labels}, which may be empty.

    A label that is a number or a boolean becomes its text.
    """

    id = "label_to_classification"
    task_profile = "classification"
    meaning = "A text column and a label column."
    fields = {
        "text": Field(("text", "sentence", "utterance", "review", "message", "body", "content"), "What is to be classified."),
        "label": Field(
            ("label", "class", "category", "intent", "sentiment", "topic", "target", "stars", "rating", "overall"), "Its class."
        ),
        "score": Field(("score",), "The number that the label was made from; read with neutral_band.", required=False),
    }
    options = {
        "allowed_labels": "Labels that are taken, separated by commas; all others are rejected.",
        "separator": "What parts the labels of a text with several, such as a semicolon; a list is always several.",
        "neutral_band": "Rows whose score is nearer to 0 than this are rejected: they take no side.",
    }

    def set_options(self, options: dict[str, str]) -> None:
        """Read the allowed labels and the neutral band.

        Raises:
            StageError(InvalidRequest): neutral_band is no number above 0, or no score column goes with it.
        """
        self._text, self._label = self.reads["text"], self.reads["label"]
        self._allowed = {label.strip() for label in options.get("allowed_labels", "").split(",")} - {""}
        self._separator = options.get("separator", "")
        self._band = 0.0
        if "neutral_band" in options:
            band = as_number(options["neutral_band"])
            if band is None or band <= 0 or "score" not in self.columns:
                cause = "it must be a number above 0, and go with a score column"
                raise StageError(InvalidRequest(), "neutral_band can't be used", cause=cause)
            self._band = band

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """Text first, then the score's side, then the label."""
        text = self._text(values)
        if text.__class__ is not str or not text or text.isspace():  # as has_text, which would be a call for each row
            return no_text(text, RowReason.MISSING_TEXT, RowReason.EMPTY_TEXT)
        if self._band:
            score = as_number(self.value(values, "score"))
            if score is not None and abs(score) < self._band:
                return Refused(RowReason.NEUTRAL_SCORE, f"|{score:g}| < {self._band:g}")
        label = self._label(values)
        if self._separator or label.__class__ is list:
            return self._several(text, label)
        label = label.strip() if label.__class__ is str else as_label(label)
        if not label:
            return Refused(RowReason.MISSING_LABEL)
        if self._allowed and label not in self._allowed:
            return self._not_allowed(label)
        return {"text": text, "label": label}

    def _several(self, text: str, given: Any) -> dict[str, Any] | Refused:
        parts = given.split(self._separator) if isinstance(given, str) else given
        if not isinstance(parts, list):
            return Refused(RowReason.MISSING_LABEL)
        labels = [as_label(part) for part in parts if not isinstance(part, str) or part.strip()]
        if any(label is None for label in labels):
            return Refused(RowReason.MISSING_LABEL, "one of the labels is no text")
        found = sorted({label.strip() for label in labels if label is not None})
        unknown = [label for label in found if self._allowed and label not in self._allowed]
        if unknown:
            return self._not_allowed(unknown[0])
        return {"text": text, "labels": found}

    def _not_allowed(self, label: str) -> Refused:
        allowed = ", ".join(sorted(self._allowed))
        return Refused(RowReason.LABEL_NOT_ALLOWED, f"label is {label[:60]!r}; allowed: {allowed}")
