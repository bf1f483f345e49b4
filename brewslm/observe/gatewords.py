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


def why(gate: GateOutcome) -> str:
    """Why it is met or not, in one or two sentences, with the figures that decided."""
    if gate.cause is not None:
        return f"There is nothing to hold against it: {CAUSES[gate.cause]}."
    if gate.value is None or gate.low is None or gate.high is None:
        return ""
    tell = said if gate.threshold is not None else said_gap
    sure, best = (gate.low, gate.high) if gate.operator == "gte" else (gate.high, gate.low)
    least = "at least" if gate.operator == "gte" else "at most"
    rows = f"{gate.n:,} row{'s' * (gate.n != 1)}"
    got = f"On {rows}, {least} {tell(gate.metric_id, sure)} is {100 * gate.confidence:g} % sure"
    wanted = f"{said(gate.metric_id, gate.threshold)} was" if gate.threshold is not None else f"{_short(gate)} was"
    if gate.met:
        return f"{got}, and {wanted} asked for."
    if gate.undecidable and _clears(gate):
        figure = said(gate.metric_id, gate.value) if gate.threshold is not None else said_gap(gate.metric_id, gap(gate))
        return f"The figure itself, {figure}, would do, but chance may have helped. {got}, and {wanted} asked for."
    if gate.undecidable:
        return f"The figure itself falls short, though these rows can't rule the gate out. {got}, and {wanted} asked for."
    return f"It falls short for certain: even at its best it would be {tell(gate.metric_id, best)}, and {wanted} asked for."


def next_for(gate: GateOutcome) -> str:
    """What would help; "" where it is met."""
    if gate.met:
        return ""
    if gate.cause in ("class_missing", "slice_empty", "metric_missing"):
        return "Hold out rows of this kind: prepare with more eval rows."
    if gate.cause == "system_missing":
        return "Choose an eval pack that names a system of this scorecard."
    needed = rows_needed(gate)
    if needed is not None:
        return f"About {needed:,} held-out rows with the same figures would decide it: prepare with more eval rows."
    return "More rows alone will not help: read the rows that it got wrong, and mend or add train rows like them."


def rows_needed(gate: GateOutcome) -> int | None:
    """About how many rows would show that it is met, if every figure stayed as it is.

    An interval narrows with the square root of the rows. None where the figure itself does not do, or nothing was measured.
    """
    if not gate.undecidable or gate.n == 0 or gate.low is None or gate.high is None or not _clears(gate):
        return None
    figure = gate.value if gate.threshold is not None else gap(gate)
    assert figure is not None
    asked = gate.threshold if gate.threshold is not None else asked_gap(gate)
    end = gate.low if gate.operator == "gte" else gate.high
    room = abs(figure - asked)
    return None if room == 0 else max(gate.n + 1, _rounded(gate.n * (abs(figure - end) / room) ** 2))


def gap(gate: GateOutcome) -> float:
    """Of a comparison: the tuned figure less the other."""
    return (gate.value or 0.0) - (gate.other or 0.0)


def asked_gap(gate: GateOutcome) -> float:
    """Of a comparison: what the difference must be beyond."""
    margin = gate.margin if gate.better_than is not None else -gate.margin
    return margin if gate.operator == "gte" else -margin


def _clears(gate: GateOutcome) -> bool:
    """Whether the figure itself, without regard to chance, would do."""
    figure = gate.value if gate.threshold is not None else gap(gate)
    asked = gate.threshold if gate.threshold is not None else asked_gap(gate)
    if figure is None:
        return False
    return figure > asked if gate.operator == "gte" else figure < asked


def _short(gate: GateOutcome) -> str:
    """What a comparison asks, without the other's figure: "more than 2.0 points ahead of base"."""
    return condition(gate.model_copy(update={"other": None}))


def _rounded(count: float) -> int:
    """Upward to two digits: it is an estimate."""
    step = 10 ** max(0, len(str(int(count))) - 2)
    return int(-(-round(count, 6) // step) * step)
