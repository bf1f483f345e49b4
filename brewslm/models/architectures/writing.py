"""What the architectures share that write an answer token by token."""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from brewslm.models.architectures.base import IGNORED, Architecture, Encoded
from brewslm.models.prompt import Listener, Prompt, Scoring, SendsMessages, TellingPredictor, together

T = TypeVar("T")
BATCH = 16
ANSWER = "ANSWER"


class Writer(Architecture):
    """Reads a prompt, and writes an answer that ends with a mark."""

    @abstractmethod
    def answers(self, model: Any, prompts: Sequence[Prompt], max_new_tokens: int) -> list[str]:
        """The greedy answer to each, without its end mark."""

    def answer_logits(self, logits: Any, labels: Any) -> tuple[Any, Any]:
        """Logits and the labels that they are to be held against: a decoder of its own has them side by side."""
        return logits, labels

    def predictor(self, model: Any, on_answers: Listener | None = None) -> TellingPredictor:
        """Asks it in batches."""
        return WritingPredictor(self, model, on_answers)


class WritingPredictor(SendsMessages):
    """Answers with weights in memory, in batches of like length.

    Args:
        on_answers: Told of each batch's answers.
    """

    def __init__(self, architecture: Writer, model: Any, on_answers: Listener | None) -> None:
        self._architecture, self._model, self._on_answers = architecture, model, on_answers

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: dict[str, Any] | None = None) -> list[str]:
        """Per prompt, the greedy answer without its end mark. No answer is held to a JSON schema."""
        lengths = self._architecture.lengths(prompts, [""] * len(prompts))
        return self._batched(
            list(prompts), lengths, lambda batch: self._architecture.answers(self._model, batch, max_new_tokens), "free_text"
        )  # fmt: skip

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt, each label's probability given that the answer is one of them: (prompts, labels), rows sum to 1."""
        import torch

        def scored(batch: list[Prompt]) -> list[list[float]]:
            rows = [self._architecture.encode("", prompt, label) for prompt in batch for label in labels]
            found = self._batched(rows, [row.tokens for row in rows], self._likelihoods)
            listed: list[list[float]] = torch.tensor([one for one, _ in found]).view(len(batch), -1).softmax(-1).tolist()
            return listed

        lengths = self._architecture.lengths(prompts, [""] * len(prompts))
        return self._batched(list(prompts), lengths, scored, "label_log_probability")

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """Per prompt, the log-probability (natural, summed) of its completion's tokens and end mark, and how many they are."""
        rows = [self._architecture.encode("", *pair) for pair in zip(prompts, completions, strict=True)]
        return self._batched(rows, [row.tokens for row in rows], self._likelihoods, "log_likelihood")

    def _likelihoods(self, batch: list[Encoded]) -> list[tuple[float, int]]:
        import torch

        inputs = self._architecture.collate(batch)
        with torch.inference_mode():
            read = of_type(inputs, self._model.dtype)
            logits, labels = self._architecture.answer_logits(self._model(**read).logits, inputs["labels"])
            said = logits.float().log_softmax(-1).gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
            counted = labels != IGNORED
            sums, counts = (said * counted).sum(-1), counted.sum(-1)
        return list(zip(sums.tolist(), counts.tolist(), strict=True))

    def _batched(
        self, items: list[T], lengths: Sequence[int], answer: Callable[[list[T]], list[Any]], scoring: Scoring | None = None
    ) -> list[Any]:
        """The answers in the order asked; told of, where it is said how they are scored."""
        answers: list[Any] = [None] * len(items)
        for places in by_length(lengths, BATCH):
            began = time.monotonic()
            for place, one in zip(places, answer([items[place] for place in places]), strict=True):
                answers[place] = one
            if self._on_answers and scoring:
                self._on_answers(together(places, answers, scoring, time.monotonic() - began))
        return answers


def of_type(inputs: dict[str, Any], dtype: Any) -> dict[str, Any]:
    """Pixels and features in the type of the weights."""
    return {name: value.to(dtype) if value.is_floating_point() else value for name, value in inputs.items()}


def by_length(lengths: Sequence[int], batch: int) -> Iterator[list[int]]:
    """Places in batches of like length."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return (order[start : start + batch] for start in range(0, len(order), batch))


def padded(rows: Sequence[Sequence[int]], value: int, *, left: bool = False) -> Any:
    """A tensor (rows, longest) of whole numbers."""
    import torch

    longest = max(len(row) for row in rows)
    fill = [[value] * (longest - len(row)) for row in rows]
    return torch.tensor([[*more, *row] if left else [*row, *more] for row, more in zip(rows, fill, strict=True)])


def until_end(ids: Sequence[int], end: int) -> list[int]:
    """What stands before the end mark."""
    return list(ids[: ids.index(end)]) if end in ids else list(ids)
