"""A text turned into another: its translation, its summary, its correction. By a causal model, or an encoder with a decoder."""

from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import Prediction, Scores
from brewslm.handlers.faults import Fault, words_of
from brewslm.handlers.generating import GeneratingHandler, said
from brewslm.metrics import text
from brewslm.metrics.figure import mean, share
from brewslm.models.prompt import Prompt
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason

INSTRUCTIONS = {
    "translation": "Translate the text.",
    "summarization": "Summarize the text.",
    "summarisation": "Summarize the text.",
    "paraphrase": "Say the text in other words.",
    "correction": "Correct the text.",
}
"""A row's `task` → what the model is told; a task of several words is told as it stands."""
REWRITE = "Rewrite the text."


class Seq2SeqHandler(GeneratingHandler):
    """The model writes the new text; it is compared by letters (chrF), by words (BLEU, ROUGE), and whole."""

    profile = "seq2seq"
    scoring_mode = "text"
    architectures = frozenset({"causal", "encoder_decoder"})
    input_field = "source_text"
    also_asked = ("task",)
    primary_metric = "chrf"
    metric_ids = frozenset({"chrf", "bleu", "rouge_1", "rouge_2", "rouge_l", "exact_match"})
    baseline_ids = frozenset({"copy", "nearest_text"})
    max_new_tokens = 160

    def check(self, payload: dict[str, Any]) -> RowReason | None:
        """Both texts must be there."""
        if not self.question(payload):
            return RowReason.MISSING_SOURCE
        target = payload.get("target_text")
        return None if isinstance(target, str) and target.strip() else RowReason.MISSING_TARGET

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """What is to be done as system message, the bare text as user message."""
        asked = instruction(payload.get("task"))
        messages = ({"role": "system", "content": asked}, {"role": "user", "content": payload["source_text"]})
        return Prompt(messages, plain=f"{asked}\n\nText: {payload['source_text']}\n\nResult:")

    def completion(self, payload: dict[str, Any]) -> str:
        """The new text."""
        return str(payload["target_text"])

    def faults(self, payload: dict[str, Any], prediction: Prediction) -> list[Fault]:
        """How the new text differs from the right one; first of all, whether it is the old one."""
        found = super().faults(payload, prediction)
        copied = words_of(str(prediction.output)) == words_of(payload["source_text"])
        return [Fault("copied")] if copied and found and found[0].kind != "form_only" else found

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """chrF, BLEU, ROUGE-1, -2 and -L, and texts that are exactly right."""
        expected = [self.completion(row.payload).strip() for row in rows]
        answers = [str(prediction.output) for prediction in predictions]
        right = [wanted == answer for wanted, answer in zip(expected, answers, strict=True)]
        rouge = text.rouge_rows(expected, answers)
        figures = {
            "chrf": text.chrf(expected, answers),
            "bleu": text.bleu(expected, answers),
            "rouge_1": mean(rouge["rouge1"]),
            "rouge_2": mean(rouge["rouge2"]),
            "rouge_l": mean(rouge["rougeL"]),
            "exact_match": share(right),
        }
        return Scores.of(figures, right)

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`copy`: the text as it is. `nearest_text`: the new text of the train text that is nearest by TF-IDF."""
        return {
            "copy": said(rows, [row.payload["source_text"] for row in rows]),
            "nearest_text": self.nearest_answers(train, rows),
        }


def instruction(task: Any) -> str:
    """What the model is told of a task."""
    if not isinstance(task, str) or not task.strip():
        return REWRITE
    known = INSTRUCTIONS.get(task.strip().lower())
    return known or (task.strip() if " " in task.strip() else REWRITE)
