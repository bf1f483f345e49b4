"""Any number of labels out of a known set."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from brewslm.handlers.base import Prediction, Scores, TaskHandler
from brewslm.handlers.classification import LISTED_LABELS
from brewslm.handlers.faults import Fault, problem_faults, set_faults
from brewslm.handlers.figures import micro
from brewslm.metrics import classification
from brewslm.metrics.figure import share
from brewslm.models.prompt import Predictor, Prompt
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason

MOST_NEW_TOKENS = 256


class MultiLabelHandler(TaskHandler):
    """A causal model writes the labels as a JSON list; an encoder's head says of each label whether it is one."""

    profile = "classification"
    scoring_mode = "labels"
    architectures = frozenset({"causal", "encoder"})
    input_field = "text"
    primary_metric = "f1"
    metric_ids = frozenset({"accuracy", "f1", "precision", "recall", "macro_f1", "json_validity_rate"})
    class_metric_ids = frozenset({"precision", "recall", "f1"})
    baseline_ids = frozenset({"majority", "tfidf_logreg"})

    def check(self, payload: dict[str, Any]) -> RowReason | None:
        """Labels are texts."""
        labels = payload["labels"]
        sound = isinstance(labels, list) and all(isinstance(label, str) and label.strip() for label in labels)
        return None if sound else RowReason.MISSING_LABEL

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """A short instruction as system message, the bare text as user message."""
        labels = self.schema.labels
        named = f" out of {', '.join(labels)}" if len(labels) <= LISTED_LABELS else ""
        asked = f"List the labels{named} that the text has, as JSON."
        messages = ({"role": "system", "content": asked}, {"role": "user", "content": payload["text"]})
        return Prompt(messages, plain=f'{asked} Write ["…",…].\n\nText: {payload["text"]}\n\nJSON:')

    def completion(self, payload: dict[str, Any]) -> str:
        """The labels, each once and in order, as compact JSON."""
        return orjson.dumps(sorted(set(payload["labels"]))).decode()

    def expected(self, payload: dict[str, Any]) -> list[str]:
        """The labels, each once and in order."""
        return sorted(set(payload["labels"]))

    def faults(self, payload: dict[str, Any], prediction: Prediction) -> list[Fault]:
        """Labels that are missing, and those without a right."""
        return [*problem_faults(prediction.problems), *set_faults(self.expected(payload), prediction.output)]

    def classes_of(self, payload: dict[str, Any]) -> set[str]:
        """The labels."""
        return set(payload["labels"])

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """The labels of each row; what is written is held to a list of the schema's labels where the predictor can."""
        prompts = [self.prompt(row.payload) for row in rows]
        schema = {"type": "array", "items": {"enum": self.schema.labels}, "maxItems": len(self.schema.labels)}
        raw = predictor.generate(prompts, MOST_NEW_TOKENS, schema)
        return [self._read(row.row_id, text) for row, text in zip(rows, raw, strict=True)]

    def _read(self, row_id: str, raw: str) -> Prediction:
        try:
            found = orjson.loads(raw)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, list):
            return Prediction(row_id=row_id, output=[], raw=raw, problems={"invalid_json": 1})
        known = {label for label in found if isinstance(label, str) and label in self.schema.labels}
        unknown = len(found) - sum(isinstance(label, str) and label in known for label in found)
        problems = {"unknown_label": unknown} if unknown else {}
        return Prediction(row_id=row_id, output=sorted(known), raw=raw, problems=problems)

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Rows whose labels are all right (scikit-learn's accuracy of several labels), micro and macro figures over labels."""
        expected = [set(self.expected(row.payload)) for row in rows]
        predicted = [set(one.output) for one in predictions]
        labels = sorted(set(self.schema.labels).union(*expected))
        exact = [wanted == found for wanted, found in zip(expected, predicted, strict=True)]
        both = [len(wanted & found) for wanted, found in zip(expected, predicted, strict=True)]
        by_class = classification.by_class(expected, predicted, labels)
        valid = [not one.problems.get("invalid_json") for one in predictions]
        figures = micro(both, [len(found) for found in predicted], [len(wanted) for wanted in expected])
        figures |= {"accuracy": share(exact), "macro_f1": classification.macro_f1(expected, predicted, labels)}
        figures["json_validity_rate"] = share(valid)
        return Scores.of(figures, exact, {"per_class": classification.per_class(by_class)}, by_class)

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`majority`: the commonest set of labels in train. `tfidf_logreg`: a logistic regression on TF-IDF for each label."""
        sets = Counter(tuple(self.expected(row.payload)) for row in train)
        commonest = list(sets.most_common(1)[0][0])
        return {
            "majority": [Prediction(row_id=row.row_id, output=commonest) for row in rows],
            "tfidf_logreg": self._logistic_regression(train, rows),
        }

    def _logistic_regression(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> list[Prediction]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\S+")
        known, asked = (
            words.fit_transform([row.payload["text"] for row in train]),
            words.transform([row.payload["text"] for row in rows]),
        )
        found: list[list[str]] = [[] for _ in rows]
        for label in self.schema.labels:
            has = [label in row.payload["labels"] for row in train]
            said = [has[0]] * len(rows)
            if len(set(has)) > 1:
                said = LogisticRegression(C=10, max_iter=1000).fit(known, has).predict(asked).tolist()
            for labels, yes in zip(found, said, strict=True):
                labels += [label] if yes else []
        return [Prediction(row_id=row.row_id, output=labels) for row, labels in zip(rows, found, strict=True)]
