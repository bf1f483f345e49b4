"""Texts by themselves: each token is learned, and the model is measured by how probable it finds texts that it never saw."""

from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import Prediction, Scores, TaskHandler
from brewslm.handlers.bytegrams import ByteGrams
from brewslm.metrics import likelihood
from brewslm.models.prompt import WHOLE_TEXT, Predictor, Prompt
from brewslm.rows.manifest import PreparedRow


class LanguageModelingHandler(TaskHandler):
    """Continued training on plain text, without a chat template. No row is right or wrong."""

    profile = "language_modeling"
    scoring_mode = "likelihood"
    input_field = "text"
    measures_given_texts = True
    primary_metric = "bits_saved"
    metric_ids = frozenset({"bits_saved", "bits_per_byte", "perplexity"})
    baseline_ids = frozenset({"byte_ngram"})

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """Nothing is asked."""
        return WHOLE_TEXT

    def completion(self, payload: dict[str, Any]) -> str:
        """The text."""
        return str(payload["text"])

    def live_prompt(self, payload: dict[str, Any]) -> Prompt:
        """The first half of the text as a message."""
        words = payload["text"].split(" ")
        half = " ".join(words[: (len(words) + 1) // 2])
        return Prompt(({"role": "user", "content": half},), plain=half)

    def expected(self, payload: dict[str, Any]) -> None:
        """There is no right answer."""
        return

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """How probable each text is: `output` is its bits per byte."""
        texts = [self.completion(row.payload) for row in rows]
        found = predictor.log_likelihoods([WHOLE_TEXT] * len(rows), texts)
        return [
            _prediction(row.row_id, text, log_likelihood, tokens)
            for row, text, (log_likelihood, tokens) in zip(rows, texts, found, strict=True)
        ]

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Bits per byte, the share of a byte's 8 bits that is saved so, and perplexity where the model has tokens."""
        texts = [self.completion(row.payload) for row in rows]
        sums = [prediction.log_likelihood or 0.0 for prediction in predictions]
        figures = {"bits_per_byte": likelihood.bits_per_byte(sums, texts), "bits_saved": likelihood.bits_saved(sums, texts)}
        tokens = [prediction.tokens or 0 for prediction in predictions]
        if all(tokens):
            figures["perplexity"] = likelihood.perplexity(sums, tokens)
        return Scores.of(figures, [False] * len(rows))

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`byte_ngram`: the last five bytes, counted in train."""
        model = ByteGrams(self.completion(row.payload) for row in train)
        texts = [self.completion(row.payload) for row in rows]
        return {
            "byte_ngram": [
                _prediction(row.row_id, text, model.log_likelihood(text), None) for row, text in zip(rows, texts, strict=True)
            ]
        }


def _prediction(row_id: str, text: str, log_likelihood: float, tokens: int | None) -> Prediction:
    bits = likelihood.bits_per_byte([log_likelihood], [text]).value
    return Prediction(row_id=row_id, output=round(bits, 4), log_likelihood=log_likelihood, tokens=tokens)
