"""The values of named fields in a text (`field_match`)."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import Prediction, Scores, TaskHandler
from brewslm.handlers.faults import Fault, field_faults, problem_faults
from brewslm.handlers.figures import micro
from brewslm.handlers.nearest import nearest
from brewslm.metrics.figure import Figure, share
from brewslm.models.constrained import compact
from brewslm.models.prompt import Predictor, Prompt
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason

Values = dict[str, str | None]
"""Field → what the text says of it; None where it says nothing."""
MOST_NEW_TOKENS = 512


class FieldExtractionHandler(TaskHandler):
    """The model writes one JSON object with every field of the schema, null where the text has no value.

    What it writes is held to the schema, so that it is always JSON and always complete.
    """

    profile = "structured_extraction"
    scoring_mode = "field_match"
    input_field = "text"
    primary_metric = "f1"
    metric_ids = frozenset({"f1", "precision", "recall", "exact_match", "json_validity_rate", "schema_compliance_rate"})
    class_metric_ids = frozenset({"f1", "precision", "recall"})
    baseline_ids = frozenset({"majority", "nearest_text"})

    def check(self, payload: dict[str, Any]) -> RowReason | None:
        """A row needs a text, and a value for at least one field."""
        entities = payload.get("entities_json")
        listed = entities.get("entities") if isinstance(entities, dict) else None
        if not self.question(payload):
            return RowReason.MISSING_TEXT
        if not listed or not all(isinstance(one.get("field"), str) and isinstance(one.get("value"), str) for one in listed):
            return RowReason.NO_FIELDS_EXTRACTED
        return None

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """The fields by name as system message, the bare text as user message."""
        asked = f"Read these fields from the text as JSON, null where it has none: {', '.join(self.schema.fields)}."
        messages = ({"role": "system", "content": asked}, {"role": "user", "content": payload["text"]})
        return Prompt(messages, plain=f"{asked}\n\nText: {payload['text']}\n\nJSON:")

    def completion(self, payload: dict[str, Any]) -> str:
        """The values as compact JSON, its keys in the order of the schema."""
        return compact(self.expected(payload))

    def expected(self, payload: dict[str, Any]) -> Values:
        """The values of the row; a field that training never saw is not asked for."""
        said = {one["field"]: one["value"].strip() for one in payload["entities_json"]["entities"]}
        return {name: said.get(name) or None for name in self.schema.fields}

    def faults(self, payload: dict[str, Any], prediction: Prediction) -> list[Fault]:
        """Which fields are missing, put in or wrong."""
        return [*problem_faults(prediction.problems), *field_faults(self.expected(payload), prediction.output)]

    def classes_of(self, payload: dict[str, Any]) -> set[str]:
        """The fields that have a value."""
        return {name for name, value in self.expected(payload).items() if value is not None}

    def json_schema(self) -> dict[str, Any]:
        """What an answer must be."""
        value = {"anyOf": [{"type": "string"}, {"type": "null"}]}
        names = list(self.schema.fields)
        return {
            "type": "object", "properties": dict.fromkeys(names, value), "required": names, "additionalProperties": False,
        }  # fmt: skip

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """The values of each row."""
        longest = max((len(row.payload["text"]) for row in rows), default=0)
        limit = min(24 + longest + sum(len(name) + 8 for name in self.schema.fields), MOST_NEW_TOKENS)
        prompts = [self.prompt(row.payload) for row in rows]
        return [
            self._read(row, raw)
            for row, raw in zip(rows, predictor.generate(prompts, limit, schema=self.json_schema()), strict=True)
        ]

    def _read(self, row: PreparedRow, raw: str) -> Prediction:
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            said = None
        problems: Counter[str] = Counter()
        if not isinstance(said, dict):
            problems["invalid_json"] += 1
            said = {}
        elif set(said) != set(self.schema.fields) or not all(value is None or isinstance(value, str) for value in said.values()):
            problems["off_schema"] += 1
        values = {name: _value(said.get(name)) for name in self.schema.fields}
        return Prediction(row_id=row.row_id, output=values, raw=raw, problems=dict(problems))

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Micro precision, recall and F1 over fields, whole rows right, and answers that were JSON, and of the schema.

        A value is right when it is the same, but for white space around it. Null is no value: it is neither right nor wrong.
        """
        expected = [self.expected(row.payload) for row in rows]
        said = [prediction.output for prediction in predictions]
        right = [a == b for a, b in zip(expected, said, strict=True)]
        valid = [not prediction.problems.get("invalid_json") for prediction in predictions]
        complies = [not prediction.problems for prediction in predictions]
        fields = {name: _of_field([row[name] for row in expected], [row[name] for row in said]) for name in self.schema.fields}
        figures = micro(
            [sum(a is not None and a == b[name] for name, a in row.items()) for row, b in zip(expected, said, strict=True)],
            [_count(row) for row in said],
            [_count(row) for row in expected],
        )
        figures |= {
            "exact_match": share(right),
            "json_validity_rate": share(valid),
            "schema_compliance_rate": share(complies),
        }
        support = {name: sum(row[name] is not None for row in expected) for name in self.schema.fields}
        details = {
            name: {kind: one.value for kind, one in own.items()} | {"support": support[name]} for name, own in fields.items()
        }
        return Scores.of(figures, right, {"per_field": details}, fields)

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`majority`: each field's commonest value. `nearest_text`: the values of the train text that is nearest by TF-IDF."""
        known = [self.expected(row.payload) for row in train]
        common = {name: Counter(values[name] for values in known).most_common(1)[0][0] for name in self.schema.fields}
        places = nearest([row.payload["text"] for row in train], [row.payload["text"] for row in rows])
        return {
            "majority": [Prediction(row_id=row.row_id, output=common) for row in rows],
            "nearest_text": [Prediction(row_id=row.row_id, output=known[at]) for row, at in zip(rows, places, strict=True)],
        }


def _value(said: Any) -> str | None:
    """A value as it is compared: an empty one is none, a number is its text."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        return json.dumps(said)
    return said.strip() or None if isinstance(said, str) else None


def _count(values: Values) -> int:
    return sum(value is not None for value in values.values())


def _of_field(expected: Sequence[str | None], said: Sequence[str | None]) -> dict[str, Figure]:
    """precision, recall and f1 of one field."""
    right = [int(wanted is not None and wanted == found) for wanted, found in zip(expected, said, strict=True)]
    return micro(right, [int(one is not None) for one in said], [int(one is not None) for one in expected])
