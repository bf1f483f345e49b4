"""Short answers to questions."""

from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import Prediction, Scores
from brewslm.handlers.generating import GeneratingHandler
from brewslm.metrics import text
from brewslm.metrics.figure import mean, share
from brewslm.models.prompt import Prompt
from brewslm.rows.manifest import PreparedRow


class QAHandler(GeneratingHandler):
    """The model writes the answer; it is compared as SQuAD does."""

    profile = "qa"
    scoring_mode = "text"
    input_field = "question"
    primary_metric = "f1"
    metric_ids = frozenset({"exact_match", "f1"})
    baseline_ids = frozenset({"nearest_question"})
    max_new_tokens = 96
    """About 70 words: longer than the short answers that exact match and F1 can judge."""

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """A short instruction as system message, the bare question as user message."""
        messages = (
            {"role": "system", "content": "Answer the question."},
            {"role": "user", "content": payload["question"]},
        )
        return Prompt(messages, plain=f"Question: {payload['question']}\n\nAnswer:")

    def completion(self, payload: dict[str, Any]) -> str:
        """The answer."""
        return str(payload["answer"])

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Exact match and token F1."""
        expected = [self.completion(row.payload) for row in rows]
        exact, f1 = text.squad_rows(expected, [str(prediction.output) for prediction in predictions])
        right = [value == 1.0 for value in exact]
        return Scores.of({"exact_match": share(right), "f1": mean(f1)}, right)

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`nearest_question`: the answer of the train question that is nearest by TF-IDF."""
        return {"nearest_question": self.nearest_answers(train, rows)}
