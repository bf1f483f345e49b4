"""Eval packs: which gates a tuned model must pass, and whether it did."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from brewslm import presets
from brewslm.errors import StageError
from brewslm.handlers.base import Metric
from brewslm.metrics.intervals import wilson
from brewslm.reasons.refusals import InvalidRequest


class Gate(BaseModel):
    """One condition on one metric of the tuned model.

    Attributes:
        gate: Its name.
        metric: The id of a metric that the handler emits; a metric that it does not emit leaves the gate unmet.
        threshold: A figure; or else
        over: the system whose figure is the threshold: "base", or a baseline such as "majority".
        required: False: it is reported, and does not decide.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gate: str
    metric: str
    operator: Literal["gte", "lte"]
    threshold: float | None = None
    over: str | None = None
    required: bool = True

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if (self.threshold is None) == (self.over is None):
            raise ValueError(f"gate {self.gate} needs either threshold or over")
        return self

    def decidable(self, n: int) -> bool:
        """Whether n rows could show that the threshold is met: a perfect result's 95 % interval must lie beyond it.

        A gate over another system is always decidable here: its threshold is not known before.
        """
        if self.threshold is None:
            return True
        low, high = wilson(n, n) if self.operator == "gte" else wilson(0, n)
        return low >= self.threshold if self.operator == "gte" else high <= self.threshold


class GateOutcome(BaseModel):
    """What a gate said.

    Attributes:
        threshold: The figure it was held against; None when there was none (an unknown metric or system).
        met: The whole interval lies on the right side.
        undecidable: The threshold lies inside the interval: n rows can't tell. Not met.
    """

    model_config = ConfigDict(frozen=True)

    gate: str
    metric: str
    operator: str
    over: str | None
    required: bool
    value: float | None
    low: float | None
    high: float | None
    n: int
    threshold: float | None
    met: bool
    undecidable: bool


class EvalPack(BaseModel):
    """Gates by task profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str
    tasks: dict[str, list[Gate]]

    def gates(self, task_profile: str) -> list[Gate]:
        """The gates of a task profile.

        Raises:
            StageError(InvalidRequest): The pack says nothing of it: then nothing could be promoted, nor refused.
        """
        found = self.tasks.get(task_profile)
        if not found:
            raise StageError(
                InvalidRequest(), f"the eval pack has no gates for {task_profile}", cause=f"it has {', '.join(self.tasks)}"
            )
        return found


def load_eval_pack(name: str) -> EvalPack:
    """A pack of the presets by its name, or a pack of your own by the path of its .yaml file.

    Raises:
        StageError(InvalidRequest): There is none, or a key of it is not one that packs have.
    """
    if not name.endswith((".yaml", ".yml")):
        return presets.load("eval_packs", name, EvalPack)
    try:
        value = yaml.safe_load(Path(name).expanduser().read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StageError(InvalidRequest(), f"{name} can't be read as an eval pack", cause=type(error).__name__) from None
    return presets.checked(value, EvalPack, Path(name).name)


def judge(gate: Gate, tuned: Mapping[str, Metric], others: Mapping[str, Mapping[str, Metric]]) -> GateOutcome:
    """Hold one gate against the tuned model's metrics, and those of the other systems by name."""
    metric = tuned.get(gate.metric)
    threshold = gate.threshold
    if gate.over is not None:
        compared = others.get(gate.over, {}).get(gate.metric)
        threshold = compared.value if compared else None
    met = undecidable = False
    if metric is not None and threshold is not None:
        sign = 1 if gate.operator == "gte" else -1  # mirrored, at most is at least
        worst, best = sorted((sign * metric.low, sign * metric.high))
        met = worst >= sign * threshold if gate.over is None else worst > sign * threshold  # as good as another is no gain
        undecidable = not met and best >= sign * threshold
    return GateOutcome(
        gate=gate.gate, metric=gate.metric, operator=gate.operator, over=gate.over, required=gate.required,
        value=metric.value if metric else None, low=metric.low if metric else None, high=metric.high if metric else None,
        n=metric.n if metric else 0, threshold=threshold, met=met, undecidable=undecidable,
    )  # fmt: skip
