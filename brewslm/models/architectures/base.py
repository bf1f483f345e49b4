"""What training, evaluation and export ask of an architecture other than causal."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from brewslm.errors import StageError
from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.loading import Precision, bf16_is_fast
from brewslm.models.prompt import Listener, Prompt, SendsMessages, TellingPredictor
from brewslm.models.trained import is_whole
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows.manifest import OutputSchema

IGNORED = -100
"""A label that the loss leaves out, as in torch."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One row as the model reads it.

    Attributes:
        inputs: By the model's own names for them: lists, or arrays.
        labels: What it is to answer; IGNORED where nothing is supervised. Of an encoder's head one number, or one per label.
        tokens: Positions that the model computes for it: tokens, patches, frames.
    """

    row_id: str
    inputs: dict[str, Any]
    labels: list[Any]
    tokens: int

    @property
    def supervised(self) -> int:
        """Labels that the loss is taken over."""
        return sum(label != IGNORED for label in self.labels)


class WithoutLikelihoods(SendsMessages):
    """A predictor of an architecture that is not asked how probable a given text is; to stand among its bases."""

    name: ArchitectureName

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """Not to be had.

        Raises:
            StageError(InvalidRequest): Always.
        """
        raise StageError(
            InvalidRequest(), "Only a causal model says how probable a given text is", cause=f"this one is {self.name}"
        )


class Architecture(ABC):
    """One base model's folder, as its architecture has it read, trained and asked.

    Args:
        folder: Config, safetensors, and tokenizer or processor.
        schema: Of the manifest: a head is as wide as it has labels.
    """

    name: ClassVar[ArchitectureName]
    new_modules: ClassVar[tuple[str, ...]] = ()
    """Modules that the base does not have, which an adapter therefore holds whole."""

    least_supervised: ClassVar[int] = 2
    """Labels that a row must have at least: of an answer that is written, the end mark alone is none."""

    def __init__(self, folder: Path, schema: OutputSchema) -> None:
        self.folder, self.schema = folder, schema

    @abstractmethod
    def encode(self, row_id: str, prompt: Prompt, completion: str) -> Encoded:
        """A row with its right answer, for training: what it reads is what it reads when it is asked."""

    @abstractmethod
    def collate(self, batch: Sequence[Encoded]) -> dict[str, Any]:
        """Tensors of several rows, padded, with "labels"."""

    @abstractmethod
    def read_weights(self, folder: Path) -> Any:
        """The model of a folder in fp32, in eval mode; what the base lacks is new, by a fixed seed."""

    @abstractmethod
    def predictor(self, model: Any, on_answers: Listener | None = None) -> TellingPredictor:
        """Whoever asks the model."""

    @abstractmethod
    def save_reader(self, folder: Path) -> None:
        """Write the tokenizer or processor beside exported weights."""

    def adapted_modules(self, model: Any) -> str | list[str]:
        """What of the model gets an adapter, as PEFT is told."""
        return "all-linear"

    @property
    def end_id(self) -> int | None:
        """The label that ends an answer, which must be supervised; None where no answer is written token by token."""
        return None

    def lengths(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[int]:
        """Positions that each row takes."""
        return [self.encode("", *pair).tokens for pair in zip(prompts, completions, strict=True)]

    def loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        """Sum of the loss over all that is supervised; a scalar with its gradient."""
        return model(**inputs).loss * (inputs["labels"] != IGNORED).sum()

    def load(self, trained: Path | None = None, precision: Precision = "bf16", *, merge: bool = True) -> Any:
        """The base, or what an experiment made of it, in eval mode.

        Args:
            trained: An adapter's folder, which is merged in fp32, or that of a whole model.
            merge: False keeps an adapter beside the base.
        """
        import torch

        if trained is not None and is_whole(trained):
            model = self.read_weights(trained)
        else:
            model = self.read_weights(self.folder)
            if trained is not None:
                from peft import PeftModel

                model = PeftModel.from_pretrained(model, trained)
                model = model.merge_and_unload() if merge else model
        return (model.to(torch.bfloat16) if precision == "bf16" and bf16_is_fast() else model).eval()
