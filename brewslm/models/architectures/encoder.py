"""A text encoder (BERT-type) with a classification head: for one label out of several, or for any number of them."""

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import orjson

from brewslm.models.architectures.base import IGNORED, Architecture, Encoded, WithoutLikelihoods
from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.prompt import Listener, Prompt, TellingPredictor, together

T = TypeVar("T")
SEED = 0
BATCH = 64
LIKELY = 0.5
"""Chance from which on a label is given, where a text may have several."""
SEVERAL = "labels"
"""The scoring mode in which it may."""


class EncoderWithHead(Architecture):
    """Reads the bare text, and gives each label of the schema a number."""

    name: ClassVar[ArchitectureName] = "encoder"
    new_modules = ("classifier", "score")
    least_supervised = 1

    def encode(self, row_id: str, prompt: Prompt, completion: str) -> Encoded:
        """The label's place in the schema, IGNORED where it has none there; of several labels, 1 or 0 for each."""
        ids = self.text_ids([prompt])[0]
        labels = [self._places.get(completion, IGNORED)]
        if self.schema.scoring_mode == SEVERAL:
            given = set(orjson.loads(completion))
            labels = [int(label in given) for label in self.schema.labels]
        return Encoded(row_id, {"input_ids": ids}, labels, len(ids))

    def collate(self, batch: Sequence[Encoded]) -> dict[str, Any]:
        """Padded on the right; labels (rows,), or (rows, labels) as fp32."""
        import torch

        inputs = self.padded([one.inputs["input_ids"] for one in batch])
        if self.schema.scoring_mode == SEVERAL:
            return inputs | {"labels": torch.tensor([one.labels for one in batch], dtype=torch.float32)}
        return inputs | {"labels": torch.tensor([one.labels[0] for one in batch])}

    def loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        """Cross-entropy of a softmax over the labels, or of one yes or no for each of them; summed."""
        from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

        labels = inputs["labels"]
        logits = model(**{name: value for name, value in inputs.items() if name != "labels"}).logits.float()
        if self.schema.scoring_mode == SEVERAL:
            return binary_cross_entropy_with_logits(logits, labels, reduction="sum")
        return cross_entropy(logits, labels, reduction="sum")

    def read_weights(self, folder: Path) -> Any:
        """With a head for the schema's labels."""
        import torch
        from transformers import AutoModelForSequenceClassification

        torch.manual_seed(SEED)
        labels = self.schema.labels
        kind = "multi_label_classification" if self.schema.scoring_mode == SEVERAL else "single_label_classification"
        return AutoModelForSequenceClassification.from_pretrained(
            folder, dtype=torch.float32, num_labels=len(labels), problem_type=kind, id2label=dict(enumerate(labels)),
            label2id={label: place for place, label in enumerate(labels)},
        ).eval()  # fmt: skip

    def predictor(self, model: Any, on_answers: Listener | None = None) -> TellingPredictor:
        """Asks the head."""
        return HeadPredictor(self, model, on_answers)

    def save_reader(self, folder: Path) -> None:
        """The tokenizer."""
        self._tokenizer.save_pretrained(folder)

    def lengths(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[int]:
        """Tokens of the text with its marks."""
        return [len(ids) for ids in self.text_ids(prompts)]

    def text_ids(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """What it reads of a prompt: the user's words, with the tokenizer's own marks around them."""
        texts = [prompt.messages[-1]["content"] for prompt in prompts]
        found: list[list[int]] = self._tokenizer(texts, truncation=False)["input_ids"]
        return found

    def padded(self, ids: Sequence[list[int]]) -> dict[str, Any]:
        """input_ids and attention_mask: (rows, longest)."""
        return dict(self._tokenizer.pad({"input_ids": list(ids)}, return_tensors="pt"))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {label: place for place, label in enumerate(self.schema.labels)}

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer
        from transformers.utils import logging

        tokenizer = AutoTokenizer.from_pretrained(self.folder)
        tokenizer.model_max_length = max(tokenizer.model_max_length, 10**6)  # rows are rejected by length, never cut
        logging.get_logger("transformers.tokenization_utils_base").setLevel(logging.ERROR)
        return tokenizer


class HeadPredictor(WithoutLikelihoods):
    """Answers with the head's numbers.

    Args:
        on_answers: Told of each batch's answers.
    """

    name: ArchitectureName = "encoder"

    def __init__(self, architecture: EncoderWithHead, model: Any, on_answers: Listener | None) -> None:
        self._architecture, self._model, self._on_answers = architecture, model, on_answers

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt, each label's chance: (prompts, labels), rows sum to 1. The head knows the schema's labels alone."""
        places = [self._architecture.schema.labels.index(label) for label in labels]
        return self._answers(prompts, lambda logits: logits.softmax(-1), lambda chances: [chances[place] for place in places])

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: dict[str, Any] | None = None) -> list[str]:
        """Per prompt, the labels that are likely, as a JSON list; the likeliest where only one is to be given.

        No answer is held to a JSON schema.
        """
        labels = self._architecture.schema.labels
        if self._architecture.schema.scoring_mode != SEVERAL:
            return self._answers(
                prompts, lambda logits: logits, lambda row: labels[max(range(len(row)), key=row.__getitem__)]
            )  # fmt: skip
        return self._answers(prompts, lambda logits: logits.sigmoid(), self._likely)

    def _likely(self, chances: list[float]) -> str:
        named = zip(self._architecture.schema.labels, chances, strict=True)
        return orjson.dumps([label for label, chance in named if chance >= LIKELY]).decode()

    def _answers(self, prompts: Sequence[Prompt], chances: Callable[[Any], Any], answer: Callable[[list[float]], T]) -> list[T]:
        """What `answer` makes of each row's numbers, in batches of like length."""
        import torch

        ids = self._architecture.text_ids(prompts)
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        answers: list[Any] = [None] * len(ids)
        for start in range(0, len(order), BATCH):
            began = time.monotonic()
            batch = order[start : start + BATCH]
            with torch.inference_mode():
                logits = self._model(**self._architecture.padded([ids[place] for place in batch])).logits.float()
            for place, row in zip(batch, chances(logits).tolist(), strict=True):
                answers[place] = answer(row)
            if self._on_answers:
                self._on_answers(together(batch, answers, "head", time.monotonic() - began))
        return answers
