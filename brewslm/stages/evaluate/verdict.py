"""From what every system scored to the verdict: gates, paired tests, and what the rows could tell."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from brewslm.handlers.base import Scores, TaskHandler
from brewslm.handlers.eval_pack import BASE, EvalPack
from brewslm.handlers.gates import GateOutcome, judge_all, promotable
from brewslm.metrics import power
from brewslm.metrics.figure import Figure
from brewslm.metrics.intervals import paired_test
from brewslm.metrics.paired import difference
from brewslm.rows.manifest import PreparedRow
from brewslm.stages.evaluate.scorecard import PairedTest, Power

TUNED = "tuned"
_WIDE = 0.95


class Verdict(NamedTuple):
    """What decides, as it stands on the scorecard."""

    gates: list[GateOutcome]
    paired: dict[str, PairedTest]
    power: Power
    promotable: bool


def verdict(pack: EvalPack, handler: TaskHandler, rows: Sequence[PreparedRow], systems: Mapping[str, Scores]) -> Verdict:
    """Hold the tuned system against the pack's gates and against each other system.

    Args:
        systems: Their scores on these rows; "tuned" among them.
    """
    tuned = systems[TUNED]
    others = {name: scores for name, scores in systems.items() if name != TUNED}
    gates = judge_all(pack, pack.spec(handler.profile), rows, tuned, others)
    paired = {name: PairedTest(**paired_test(tuned.row_correct, one.row_correct)) for name, one in others.items()}
    return Verdict(
        gates, paired, told_apart(handler.primary_metric, tuned, others.get(BASE)), pack.promotes and promotable(gates)
    )


def told_apart(metric_id: str, tuned: Scores, base: Scores | None) -> Power:
    """The smallest differences of a metric that these rows could tell.

    By what the two systems' answers vary, not by how far apart they are.
    """
    figure = tuned.figures[metric_id]
    from_threshold, from_system = power.detectable(_error(figure)), None
    if base is not None and metric_id in base.figures:
        from_system = power.detectable(_paired_error(figure, base.figures[metric_id]))
    return Power(
        metric_id=metric_id, n=figure.n, confidence=power.CONFIDENCE, power=power.POWER, from_threshold=from_threshold,
        from_system=from_system, system=None if from_system is None else BASE,
    )  # fmt: skip


def _error(figure: Figure) -> float:
    """Its standard error, by the width of its interval."""
    return _of_width(*figure.interval(_WIDE))


def _paired_error(first: Figure, second: Figure) -> float:
    found = difference(first, second, _WIDE)
    return _of_width(found.low, found.high)


def _of_width(low: float, high: float) -> float:
    from scipy.stats import norm

    return (high - low) / 2 / float(norm.ppf((1 + _WIDE) / 2))
