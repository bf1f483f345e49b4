"""Short answers to questions."""

from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import Metric, Prediction, Scores, TaskHandler
from brewslm.metrics import intervals, text
from brewslm.models.prompt import Predictor, Prompt
from brewslm.rows.manifest import PreparedRow

MAX_NEW_TOKENS = 96
"""About 70 words: longer than the short answers that exact match and F1 can judge."""


class QAHandler(TaskHandler):
    """The model writes the answer; it is compared as SQuAD does."""

    profile = "qa"
    scoring_mode = "text"
    input_field = "question"
    primary_metric = "f1"
    metric_ids = frozenset({"exact_match", "f1"})

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

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """The generated answer of each row."""
        answers = predictor.generate([self.prompt(row.payload) for row in rows], MAX_NEW_TOKENS)
        return [
            Prediction(row_id=row.row_id, output=answer.strip(), raw=answer, problems={} if answer.strip() else {"empty": 1})
            for row, answer in zip(rows, answers, strict=True)
        ]

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Exact match and token F1."""
        import numpy as np

        expected = [self.completion(row.payload) for row in rows]
        exact, f1 = text.squad_rows(expected, [str(prediction.output) for prediction in predictions])
        low, high = intervals.wilson(round(sum(exact)), len(rows))
        exact_match = Metric(value=sum(exact) / len(rows), low=low, high=high, n=len(rows))
        low, high = intervals.bootstrap(np.mean, f1, vectorized=True)
        metrics = {"exact_match": exact_match, "f1": Metric(value=sum(f1) / len(rows), low=low, high=high, n=len(rows))}
        return Scores(metrics=metrics, row_correct=[value == 1.0 for value in exact])

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`nearest_question`: the answer of the train question that is nearest by TF-IDF."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.neighbors import NearestNeighbors

        words = TfidfVectorizer(token_pattern=r"(?u)\S+")
        known = words.fit_transform([row.payload["question"] for row in train])
        asked = words.transform([row.payload["question"] for row in rows])
        nearest = NearestNeighbors(n_neighbors=1, metric="cosine").fit(known).kneighbors(asked, return_distance=False)
        answers = [train[place].payload["answer"] for place in nearest[:, 0].tolist()]
        return {"nearest_question": [Prediction(row_id=row.row_id, output=a) for row, a in zip(rows, answers, strict=True)]}
