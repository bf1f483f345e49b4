"""Spans of a text with their types (`span_set`)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from brewslm.handlers import alignment
from brewslm.handlers.base import Prediction, Scores, TaskHandler
from brewslm.handlers.faults import Fault, problem_faults, span_faults
from brewslm.handlers.figures import micro
from brewslm.handlers.lexicon import Lexicon
from brewslm.metrics.figure import share
from brewslm.metrics.spans import Span, count_spans
from brewslm.models.prompt import Predictor, Prompt
from brewslm.rows.manifest import PreparedRow

LISTED_TYPES = 12
GROUP = 32
MOST_NEW_TOKENS = 768
_BEYOND = 10**9
_NOWHERE = "(unaligned)"


class StructuredExtractionHandler(TaskHandler):
    """The model writes type and text as JSON; code finds the offsets, and counts what it can't place."""

    profile = "structured_extraction"
    scoring_mode = "span_set"
    input_field = "text"
    primary_metric = "f1"
    metric_ids = frozenset({"f1", "precision", "recall", "exact_match", "json_validity_rate"})
    class_metric_ids = frozenset({"f1", "precision", "recall"})
    baseline_ids = frozenset({"lexicon"})

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """A short instruction as system message, the bare text as user message."""
        types = self.schema.entity_types
        named = f" ({', '.join(types)})" if len(types) <= LISTED_TYPES else ""
        asked = f"List the entities{named} in the text as JSON."
        messages = ({"role": "system", "content": asked}, {"role": "user", "content": payload["text"]})
        form = 'Write [{"type":"…","text":"…"},…].'
        return Prompt(messages, plain=f"{asked} {form}\n\nText: {payload['text']}\n\nJSON:")

    def completion(self, payload: dict[str, Any]) -> str:
        """The spans as compact JSON."""
        return alignment.written(payload["entities_json"]["entities"])

    def expected(self, payload: dict[str, Any]) -> list[Span]:
        """The spans of the row."""
        entities: list[Span] = payload["entities_json"]["entities"]
        return entities

    def faults(self, payload: dict[str, Any], prediction: Prediction) -> list[Fault]:
        """Which spans are missing, put in, shifted or of another type."""
        return [*problem_faults(prediction.problems), *span_faults(self.expected(payload), prediction.output)]

    def classes_of(self, payload: dict[str, Any]) -> set[str]:
        """The types of its spans."""
        return {span["type"] for span in self.expected(payload)}

    def json_schema(self) -> dict[str, Any]:
        """What an answer must be: objects of a known type and a text. Whether the text is in the row is left to alignment."""
        properties = {"type": {"enum": list(self.schema.entity_types)}, "text": {"type": "string"}}
        entity = {
            "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False,
        }  # fmt: skip
        return {"type": "array", "items": entity}

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """The aligned spans of each row. Rows of like length are asked together, so that each may write as much as it needs."""
        answers: dict[int, Prediction] = {}
        order = sorted(range(len(rows)), key=lambda place: len(rows[place].payload["text"]))
        for start in range(0, len(order), GROUP):
            group = order[start : start + GROUP]
            limit = max(_room(rows[place].payload["text"]) for place in group)
            raw = predictor.generate([self.prompt(rows[place].payload) for place in group], limit, schema=self.json_schema())
            answers |= {place: self._read(rows[place], text) for place, text in zip(group, raw, strict=True)}
        return [answers[place] for place in range(len(rows))]

    def _read(self, row: PreparedRow, raw: str) -> Prediction:
        entities, problems = alignment.read(raw)
        spans, unaligned = alignment.align(row.payload["text"], entities)
        problems.update({"unaligned": unaligned} if unaligned else {})
        unknown = sum(span["type"] not in self.schema.entity_types for span in spans)
        problems.update({"unknown_type": unknown} if unknown else {})
        return Prediction(row_id=row.row_id, output=spans, raw=raw, problems=dict(problems))

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Span precision, recall and F1 (micro), whole rows right, and answers that were valid JSON.

        A span that could not be aligned counts as predicted and wrong.
        """
        expected = [self.expected(row.payload) for row in rows]
        counts = count_spans(expected, [_with_unaligned(prediction) for prediction in predictions])
        right = [c == p == e for c, p, e in zip(counts.correct, counts.predicted, counts.expected, strict=True)]
        valid = [not prediction.problems.get("invalid_json") for prediction in predictions]
        per_class = {tag: figures for tag, figures in counts.per_class.items() if tag != _NOWHERE}
        figures = micro(counts.correct, counts.predicted, counts.expected) | {
            "exact_match": share(right),
            "json_validity_rate": share(valid),
        }
        problems: Counter[str] = Counter()
        for prediction in predictions:
            problems.update(prediction.problems)
        details = {
            "per_class": per_class,
            "problems": dict(problems),
            "alignable_rows": sum(map(_alignable, rows)),
        }
        by_class = {tag: micro(*of_type) for tag, of_type in counts.by_class.items() if tag != _NOWHERE}
        return Scores.of(figures, right, details, by_class)

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`lexicon`: every phrase that was marked in train, as what it was marked most often."""
        known = Lexicon((span["text"], span["type"]) for row in train for span in self.expected(row.payload))
        return {"lexicon": [Prediction(row_id=row.row_id, output=known.spans(row.payload["text"])) for row in rows]}


def _room(text: str) -> int:
    """Tokens that a full answer may need: every character once, and a JSON object around each word."""
    return min(24 + len(text) + 16 * len(text.split()), MOST_NEW_TOKENS)


def _with_unaligned(prediction: Prediction) -> list[Span]:
    """The spans, and one beyond the text for each that has no place in it."""
    lost = prediction.problems.get("unaligned", 0)
    nowhere = [{"type": _NOWHERE, "start": _BEYOND + 2 * i, "end": _BEYOND + 2 * i + 1} for i in range(lost)]
    return [*prediction.output, *nowhere]


def _alignable(row: PreparedRow) -> bool:
    """Whether even a perfect answer gives the row's spans back: the ceiling of what alignment lets a model reach."""
    entities, _ = alignment.read(alignment.written(row.payload["entities_json"]["entities"]))
    spans, _ = alignment.align(row.payload["text"], entities)
    wanted = row.payload["entities_json"]["entities"]
    return [(s["type"], s["start"], s["end"]) for s in spans] == sorted(
        ((s["type"], s["start"], s["end"]) for s in wanted), key=lambda span: span[1]
    )
