"""One label out of a known set."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import Prediction, Scores, TaskHandler
from brewslm.handlers.faults import Fault, label_faults
from brewslm.metrics import calibration, classification
from brewslm.metrics.figure import share
from brewslm.models.prompt import Predictor, Prompt
from brewslm.rows.manifest import PreparedRow

LISTED_LABELS = 12
"""More labels than this would cost more prompt tokens than they teach."""


class ClassificationHandler(TaskHandler):
    """Labels are scored by their probability after the prompt: an answer is always one of the schema's labels."""

    profile = "classification"
    scoring_mode = "label"
    architectures = frozenset({"causal", "encoder"})
    input_field = "text"
    primary_metric = "accuracy"
    metric_ids = frozenset({"accuracy", "macro_f1", "expected_calibration_error", "brier_score"})
    class_metric_ids = frozenset({"precision", "recall", "f1"})
    baseline_ids = frozenset({"majority", "tfidf_logreg"})

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """The instruction as system message, the bare text as user message.

        The plain form did best of seven that were tried with untuned SmolLM2 on train rows: an instruction that names the
        labels draws it to one of them.
        """
        labels = self.schema.labels
        choice = f" as {', '.join(labels[:-1])} or {labels[-1]}" if 2 <= len(labels) <= LISTED_LABELS else ""
        messages = (
            {"role": "system", "content": f"Classify the text{choice}."},
            {"role": "user", "content": payload["text"]},
        )
        return Prompt(messages, plain=f"Text: {payload['text']}\n\nLabel:")

    def completion(self, payload: dict[str, Any]) -> str:
        """The label."""
        return str(payload["label"])

    def faults(self, payload: dict[str, Any], prediction: Prediction) -> list[Fault]:
        """Which label was taken for which."""
        return label_faults(self.completion(payload), str(prediction.output), self.schema.labels)

    def stratum(self, payload: dict[str, Any]) -> str:
        """Rows of the same label."""
        return f"expecting {self.completion(payload)}"

    def classes_of(self, payload: dict[str, Any]) -> set[str]:
        """The label."""
        return {self.completion(payload)}

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """The most probable label of each row."""
        labels = self.schema.labels
        scored = predictor.label_scores([self.prompt(row.payload) for row in rows], labels)
        return [self._best(row.row_id, dict(zip(labels, scores, strict=True))) for row, scores in zip(rows, scored, strict=True)]

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Accuracy and macro F1; per class and confusion as details. A label never seen in training counts as wrong.

        Where every row has probabilities, also whether they hold: the expected calibration error, the Brier score, and
        `reliability` as a detail.
        """
        expected = [self.completion(row.payload) for row in rows]
        predicted = [str(prediction.output) for prediction in predictions]
        labels = sorted({*self.schema.labels, *expected})
        correct = [a == b for a, b in zip(expected, predicted, strict=True)]
        one_each = [{label} for label in expected], [{label} for label in predicted]
        figures = {"accuracy": share(correct), "macro_f1": classification.macro_f1(*one_each, labels)}
        by_class = classification.by_class(*one_each, labels)
        details: dict[str, Any] = {
            "per_class": classification.per_class(by_class),
            "confusion": classification.confusion(expected, predicted, labels),
        }
        probabilities = [prediction.scores for prediction in predictions]
        if all(probabilities):
            figures["expected_calibration_error"] = calibration.expected_calibration_error(expected, probabilities)
            figures["brier_score"] = calibration.brier_score(expected, probabilities)
            details["reliability"] = calibration.reliability(expected, probabilities)
        return Scores.of(figures, correct, details, by_class)

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`majority`: the commonest label of train. `tfidf_logreg`: logistic regression on TF-IDF of words and pairs."""
        commonest = Counter(row.payload["label"] for row in train).most_common(1)[0][0]
        answers = {"majority": [Prediction(row_id=row.row_id, output=commonest) for row in rows]}
        if len({row.payload["label"] for row in train}) > 1:
            answers["tfidf_logreg"] = self._logistic_regression(train, rows)
        return answers

    def _logistic_regression(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> list[Prediction]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\S+")
        model = make_pipeline(words, LogisticRegression(C=10, max_iter=1000))
        model.fit([row.payload["text"] for row in train], [row.payload["label"] for row in train])
        scored = model.predict_proba([row.payload["text"] for row in rows]).tolist()
        labels = [str(label) for label in model.classes_]
        return [self._best(row.row_id, dict(zip(labels, scores, strict=True))) for row, scores in zip(rows, scored, strict=True)]

    @staticmethod
    def _best(row_id: str, scores: dict[str, float]) -> Prediction:
        if not any(scores.values()):
            return Prediction(row_id=row_id, output="", problems={"unknown_label": 1})
        return Prediction(row_id=row_id, output=max(scores, key=scores.__getitem__), scores=scores)
