"""Talks: each reply of the assistant is learned, and the last one is asked for."""

from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import Metric, Prediction, Scores
from brewslm.handlers.generating import GeneratingHandler, said
from brewslm.mappers.base import Refused
from brewslm.mappers.messages import Messages, as_lines, read_messages, split_reply
from brewslm.metrics import text
from brewslm.metrics.figure import mean, share
from brewslm.metrics.likelihood import perplexity
from brewslm.models.prompt import Predictor, Prompt
from brewslm.rows import RowReason
from brewslm.rows.manifest import PreparedRow


class ChatHandler(GeneratingHandler):
    """The model goes on with a talk; no instruction is added to what the talk itself says."""

    profile = "chat_sft"
    scoring_mode = "text"
    input_field = "prompt"
    also_asked = ("messages",)
    primary_metric = "f1"
    metric_ids = frozenset({"f1", "rouge_l", "chrf", "perplexity"})
    baseline_ids = frozenset({"nearest_talk", "copy"})
    every_turn = True
    asks_per_row = 2
    max_new_tokens = 128

    def check(self, payload: dict[str, Any]) -> RowReason | None:
        """A talk needs a question, a reply after it, and messages of known roles."""
        messages = read_messages(payload.get("messages"))
        reply = messages if isinstance(messages, Refused) else split_reply(messages)
        if isinstance(reply, Refused):
            return reply.reason
        return None if reply[1] == payload.get("reference") else RowReason.INVALID_MESSAGES_SHAPE

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """All before the assistant's last reply. Where it is asked live there is no reference: then all that there is."""
        messages = before_reply(payload)
        return Prompt(tuple(messages), plain=f"{as_lines(messages)}\nassistant:")

    def completion(self, payload: dict[str, Any]) -> str:
        """The assistant's last reply."""
        return str(payload["reference"])

    def question(self, payload: dict[str, Any]) -> str:
        """The prompt, or else the talk's last message."""
        if text := super().question(payload):
            return text
        messages = read_messages(payload.get("messages"))
        return "" if isinstance(messages, Refused) else messages[-1]["content"]

    def compared(self, payload: dict[str, Any]) -> str:
        """The talk up to the reply, as lines."""
        return as_lines(before_reply(payload))

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """The generated reply of each row; and, where the row has one, how probable the right one is."""
        predictions = super().predict(rows, predictor)
        if not all("reference" in row.payload for row in rows):
            return predictions
        return self.with_likelihoods(rows, predictions, predictor)

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Token F1, ROUGE-L and chrF of the last reply, and the right one's perplexity where the model told of it."""
        expected = [self.completion(row.payload) for row in rows]
        answers = [str(prediction.output) for prediction in predictions]
        exact, f1 = text.squad_rows(expected, answers)
        figures = {
            "f1": mean(f1),
            "rouge_l": mean(text.rouge_rows(expected, answers)["rougeL"]),
            "chrf": text.chrf(expected, answers),
        }
        if all(prediction.tokens for prediction in predictions):
            sums = [prediction.log_likelihood or 0.0 for prediction in predictions]
            tokens = [prediction.tokens or 0 for prediction in predictions]
            figures["perplexity"] = perplexity(sums, tokens)
        right = [value == 1.0 for value in exact]
        return Scores.of(figures, right, {"exact_match": Metric.of(share(right)).model_dump()})

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`nearest_talk`: the reply of the train talk nearest by TF-IDF. `copy`: the user's last message."""
        last = [before_reply(row.payload)[-1]["content"] for row in rows]
        return {"nearest_talk": self.nearest_answers(train, rows), "copy": said(rows, last)}


def before_reply(payload: dict[str, Any]) -> Messages:
    """The messages that lead to the reply: those given, or what is asked as the user's one message."""
    given = read_messages(payload.get("messages"))
    messages = [{"role": "user", "content": payload["prompt"]}] if isinstance(given, Refused) else given
    if "reference" not in payload:
        return messages
    last = max(place for place, message in enumerate(messages) if message["role"] == "assistant")
    return messages[:last]
