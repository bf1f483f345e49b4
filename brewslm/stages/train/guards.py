"""What would be silently wrong is an error: the figures of each step, the end mark, and the adapter itself."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.models.architectures.base import IGNORED, Encoded
from brewslm.models.packing import Example
from brewslm.models.trained import is_whole, trained_weights
from brewslm.reasons.training import Guard, TrainingRuntimeError

_NEXT = {
    Guard.LOSS_NOT_FINITE: "Try a smaller --set learning_rate=…, and look whether the base model answers at all.",
    Guard.LOSS_ZERO: "Look whether the answers stand in the prompts, or the base model knows every one already.",
    Guard.GRADIENT_NOT_FINITE: "Try a smaller --set learning_rate=…, and look whether the base model answers at all.",
    Guard.GRADIENT_ZERO: "Look whether the base model's weights are whole, and --set lora_top_layers=1.",
    Guard.ADAPTER_UNCHANGED: "Try a larger --set learning_rate=… or more epochs.",
    Guard.END_NOT_SUPERVISED: "Look at the tokenizer's chat template: an answer must end with a token of its own.",
}


def tripped(guard: Guard, experiment_id: str, cause: str, step: int | None = None) -> StageError:
    """The error of a guard, to be raised."""
    reason = TrainingRuntimeError(experiment_id=experiment_id, error=cause, last_step=step, guard=guard)
    return StageError(reason, "Training was stopped", cause=cause, next_step=_NEXT[guard])


def loss_must_tell(loss: float, experiment_id: str, step: int) -> None:
    """A loss that teaches something is finite, and above zero: exactly zero means that nothing was left to learn or to see.

    Raises:
        StageError(TrainingRuntimeError): It is not.
    """
    if not math.isfinite(loss):
        raise tripped(Guard.LOSS_NOT_FINITE, experiment_id, f"the loss is {loss} at step {step}", step)
    if loss == 0:
        raise tripped(Guard.LOSS_ZERO, experiment_id, f"the loss is exactly 0 at step {step}", step)


def gradient_must_tell(norm: float, experiment_id: str, step: int) -> None:
    """The gradient's norm before clipping is finite, and above zero.

    Raises:
        StageError(TrainingRuntimeError): It is not.
    """
    if not math.isfinite(norm):
        raise tripped(Guard.GRADIENT_NOT_FINITE, experiment_id, f"the gradient's norm is {norm} at step {step}", step)
    if norm == 0:
        raise tripped(Guard.GRADIENT_ZERO, experiment_id, f"the gradient is exactly 0 at step {step}", step)


def end_must_be_supervised(examples: Sequence[Example], end: int, experiment_id: str) -> None:
    """Each answer's last supervised token is the end mark: a model that never saw it supervised never stops.

    Raises:
        StageError(TrainingRuntimeError): A row's is not; it is named.
    """
    for example in examples:
        if example.supervised < 1 or example.ids[-1] != end:
            cause = f"token {end} ends an answer when served, and is not what the loss ends with in row {example.row_id}"
            raise tripped(Guard.END_NOT_SUPERVISED, experiment_id, cause)


def labels_must_end(examples: Sequence[Encoded], end: int, experiment_id: str) -> None:
    """The same of rows that another architecture reads.

    Raises:
        StageError(TrainingRuntimeError): A row's last supervised label is not the end mark; it is named.
    """
    for one in examples:
        if not one.supervised or next(label for label in reversed(one.labels) if label != IGNORED) != end:
            cause = f"token {end} ends an answer, and is not what the labels end with in row {one.row_id}"
            raise tripped(Guard.END_NOT_SUPERVISED, experiment_id, cause)


def weights_must_have_changed(trained: Path, base: Path, experiment_id: str) -> None:
    """What was trained would change an answer. LoRA's B matrices start at zero, and a whole model starts as its base.

    Args:
        trained: The folder of an adapter, or of a whole model.
        base: The base model's folder.

    Raises:
        StageError(TrainingRuntimeError): Every weight is as it was.
    """
    from safetensors.torch import load_file

    weights = load_file(trained_weights(trained))
    if is_whole(trained):
        if _same(weights, base):
            raise tripped(Guard.ADAPTER_UNCHANGED, experiment_id, "the model is unchanged: every weight is that of its base")
    elif not any(bool(weight.any()) for name, weight in weights.items() if "lora_B" in name):
        raise tripped(Guard.ADAPTER_UNCHANGED, experiment_id, "the adapter is unchanged: every B matrix is still zero")


def _same(weights: dict[str, Any], base: Path) -> bool:
    """Whether each of these weights that stands in a file of the base too is equal there."""
    from safetensors import safe_open

    for file in base.glob("*.safetensors"):
        with safe_open(file, framework="pt") as opened:
            for name in set(opened.keys()) & set(weights):
                if not opened.get_tensor(name).float().equal(weights[name].float()):
                    return False
    return True
