"""Gates in words, the same for every face."""

from brewslm.handlers.eval_pack import Gate
from brewslm.handlers.gates import GateOutcome
from brewslm.metrics.units import said, said_gap

SIGNS = {"gte": "≥", "lte": "≤"}
CAUSES = {
    "metric_missing": "no row counts for it",
    "class_missing": "no such class was measured",
    "slice_empty": "no row of this slice counts for it",
    "system_missing": "there is no such system on this scorecard",
}


def about(gate: Gate | GateOutcome) -> str:
    """The metric, such as "recall of refund on long"."""
    of_class = f" of {gate.class_id}" if gate.class_id else ""
    return gate.metric_id + of_class + (f" on {gate.slice_id}" if gate.slice_id else "")


def condition(gate: Gate | GateOutcome) -> str:
    """What is asked for, and the other system's figure where it was measured: "better than base 71.2 %"."""
    metric = gate.metric_id
    if gate.threshold is not None:
        return f"{SIGNS[gate.operator]} {said(metric, gate.threshold)}"
    which = gate.better_than or gate.no_worse_than or ""
    if isinstance(gate, GateOutcome):
        which += f" ({gate.compared_with})" if gate.compared_with not in (None, which) else ""
        which += f" {said(metric, gate.other)}" if gate.other is not None else ""
    margin = said_gap(metric, gate.margin).lstrip("+") if gate.margin else ""
    if gate.better_than is not None:
        return f"more than {margin} ahead of {which}" if margin else f"better than {which}"
    return f"at most {margin} behind {which}" if margin else f"no worse than {which}"


def bound(gate: GateOutcome) -> str:
    """What is sure, and how sure: "≥ 84.4 % (97.5 %)", of a comparison "≥ +12.1 points (97.5 %)"."""
    if gate.low is None or gate.high is None:
        return ""
    end = gate.low if gate.operator == "gte" else gate.high
    tell = said if gate.threshold is not None else said_gap
    return f"{SIGNS[gate.operator]} {tell(gate.metric_id, end)} ({100 * gate.confidence:g} %)"


def outcome(gate: GateOutcome) -> str:
    """Whether it is met, and why not."""
    why = "undecided: too few rows to tell" if gate.undecidable else "not met"
    if gate.cause is not None:
        why = f"not met: {CAUSES[gate.cause]}"
    return ("met" if gate.met else why) + ("" if gate.required else ", optional")
