"""What a gate says of a model, from what every row counted for its metric."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from brewslm.handlers.base import Scores
from brewslm.handlers.eval_pack import BEST, EvalPack, Gate, TaskSpec
from brewslm.metrics.figure import Figure
from brewslm.metrics.paired import difference
from brewslm.rows.manifest import PreparedRow


class GateOutcome(BaseModel):
    """What a gate said. The fields of the gate are as in `Gate`.

    Attributes:
        compared_with: The system that it was held against: of "baseline" which one that was.
        value: The tuned model's figure; None when it has none.
        other: The other system's figure.
        low, high: The two-sided interval whose nearer end is the gate's one-sided bound, of the figure, or of the difference
            (tuned less other) where two systems are compared.
        interval_confidence: Of that interval: 2 · confidence - 1.
        n: Rows behind it.
        p_value: One-sided, of McNemar's exact test, where one system must be better than another and both have shares.
        met: The bound clears what was asked for.
        undecidable: The other end of the interval does, so that n rows can't tell. Not met.
        cause: Why there was nothing to hold against it: "metric_missing", "class_missing", "slice_empty" or "system_missing".
    """

    model_config = ConfigDict(frozen=True)

    gate_id: str
    metric_id: str
    class_id: str | None
    slice_id: str | None
    operator: str
    threshold: float | None
    better_than: str | None
    no_worse_than: str | None
    margin: float
    confidence: float
    required: bool
    compared_with: str | None = None
    value: float | None = None
    other: float | None = None
    low: float | None = None
    high: float | None = None
    interval_confidence: float
    n: int = 0
    p_value: float | None = None
    met: bool = False
    undecidable: bool = False
    cause: str | None = None


def judge_all(
    pack: EvalPack, spec: TaskSpec, rows: Sequence[PreparedRow], tuned: Scores, others: Mapping[str, Scores]
) -> list[GateOutcome]:
    """Every gate of a spec.

    Args:
        rows: Those that all figures are of, in their order.
        others: The other systems of the scorecard by name.
    """
    return [judge(gate, pack.confidence_of(gate), tuned, others, _places(spec, gate, rows)) for gate in spec.gates]


def promotable(outcomes: Sequence[GateOutcome]) -> bool:
    """Whether every required gate is met."""
    return all(gate.met for gate in outcomes if gate.required)


def judge(
    gate: Gate, confidence: float, tuned: Scores, others: Mapping[str, Scores], places: Sequence[bool] | None = None
) -> GateOutcome:
    """Hold one gate against the tuned model's figures, and those of the other systems by name.

    Args:
        places: The rows of the gate's slice, one boolean a row; None for all.
    """
    level = 2 * confidence - 1
    asked = gate.model_dump(exclude={"confidence"}) | {"confidence": confidence, "interval_confidence": level}
    figure = _figure(tuned, gate, places)
    if isinstance(figure, str):
        return GateOutcome(**asked, cause=figure)
    sign = 1 if gate.operator == "gte" else -1  # mirrored, at most is at least
    if gate.threshold is not None:
        low, high = figure.interval(level)
        worst, best = sorted((sign * low, sign * high))
        needed = sign * gate.threshold
        met = worst >= needed
        return GateOutcome(
            **asked, value=figure.value, low=low, high=high, n=figure.n, met=met, undecidable=not met and best >= needed
        )  # fmt: skip
    compared, other = _other(gate, sign, others, places)
    if other is None:
        return GateOutcome(**asked, value=figure.value, n=figure.n, compared_with=compared, cause="system_missing")
    gap = difference(figure, other, level, lower_is_better=sign < 0)
    worst, best = sorted((sign * gap.low, sign * gap.high))
    if gate.better_than is not None:  # as good as another is no gain
        p_value = gap.p_better
        met = worst > gate.margin and (p_value is None or p_value <= 1 - confidence)
        undecidable = not met and best > gate.margin
    else:
        p_value, met = None, worst >= -gate.margin
        undecidable = not met and best >= -gate.margin
    return GateOutcome(
        **asked, compared_with=compared, value=figure.value, other=other.value, low=gap.low, high=gap.high, n=gap.n,
        p_value=p_value, met=met, undecidable=undecidable,
    )  # fmt: skip


def _places(spec: TaskSpec, gate: Gate, rows: Sequence[PreparedRow]) -> list[bool] | None:
    cut = spec.slice_of(gate)
    return None if cut is None else [cut.holds(row.payload) for row in rows]


def _figure(scores: Scores, gate: Gate, places: Sequence[bool] | None) -> Figure | str:
    """The figure that a gate is about, or why there is none."""
    figures = scores.figures if gate.class_id is None else scores.by_class.get(gate.class_id, {})
    if gate.class_id is not None and not figures:
        return "class_missing"
    whole = figures.get(gate.metric_id)
    if whole is None or whole.n == 0:
        return "metric_missing"
    part = whole if places is None else whole.of(places)
    return part if part.n else "slice_empty"


def _other(
    gate: Gate, sign: int, others: Mapping[str, Scores], places: Sequence[bool] | None
) -> tuple[str | None, Figure | None]:
    """The system to compare with, and its figure."""
    found = {name: figure for name, one in others.items() if isinstance(figure := _figure(one, gate, places), Figure)}
    if gate.system != BEST:
        return gate.system, found.get(gate.system or "")
    best = max(found, key=lambda name: sign * found[name].value, default=None)
    return best, None if best is None else found[best]
