import pytest

from brewslm.handlers.gates import GateOutcome
from brewslm.metrics.intervals import wilson
from brewslm.observe.gatewords import next_for, rows_needed, why

GATE = {
    "gate_id": "g", "metric_id": "accuracy", "class_id": None, "slice_id": None, "operator": "gte", "threshold": None,
    "better_than": None, "no_worse_than": None, "margin": 0.0, "confidence": 0.95, "interval_confidence": 0.9, "required": True,
}  # fmt: skip


def share(right: int, n: int, threshold: float) -> GateOutcome:
    low, high = wilson(right, n, 0.9)
    met = low >= threshold
    figures = {"value": right / n, "low": low, "high": high, "n": n}
    return GateOutcome(**GATE | {"threshold": threshold} | figures, met=met, undecidable=not met and high >= threshold)


def test_a_figure_that_would_do_on_more_rows_says_how_many_and_so_many_do():
    gate = share(83, 100, 0.8)
    said = why(gate.model_copy(update={"undecidable": True}))
    assert said == (
        "The figure itself, 83.0 %, would do, but chance may have helped. On 100 rows, at least 76.0 % is 95 % sure, "
        "and 80.0 % was asked for."
    )  # fmt: skip
    needed = rows_needed(gate)
    assert needed is not None and 400 < needed < 700
    assert share(round(0.83 * needed), needed, 0.8).low == pytest.approx(0.8, abs=0.003)
    assert str(needed) in next_for(gate)


def test_a_figure_that_falls_short_is_not_sent_for_more_rows():
    gate = share(60, 100, 0.8)
    assert rows_needed(gate) is None and "More rows alone will not help" in next_for(gate)
    assert why(gate.model_copy(update={"undecidable": False})).startswith(
        "It falls short for certain: even at its best it would be"
    )


def test_at_most_is_said_from_the_other_side():
    fields = GATE | {"metric_id": "wer", "operator": "lte", "threshold": 0.3}
    gate = GateOutcome(**fields, value=0.25, low=0.18, high=0.32, n=50, undecidable=True)
    assert "at most 32.0 % is 95 % sure" in why(gate)
    assert rows_needed(gate) == 98


def test_a_comparison_is_said_by_its_gap_and_its_margin():
    fields = GATE | {"better_than": "base", "margin": 0.02, "compared_with": "base"}
    gate = GateOutcome(**fields, value=0.85, other=0.8, low=-0.01, high=0.11, n=100, undecidable=True)
    assert why(gate).startswith("The figure itself, +5.0 points, would do")
    assert "at least -1.0 points is 95 % sure, and more than 2.0 points ahead of base was asked for." in why(gate)
    assert rows_needed(gate) == 400
    worse = GateOutcome(**GATE | {"no_worse_than": "base", "margin": 0.02}, value=0.7, other=0.8, low=-0.15, high=-0.05, n=100)
    assert rows_needed(worse) is None and "at most 2.0 points behind base was asked for" in why(worse)


def test_a_gate_without_a_figure_says_what_to_hold_out():
    gate = GateOutcome(**GATE | {"class_id": "refund", "threshold": 0.9}, cause="class_missing")
    assert why(gate) == "There is nothing to hold against it: no such class was measured."
    assert next_for(gate) == "Hold out rows of this kind: prepare with more eval rows."
    met = share(100, 100, 0.8)
    assert next_for(met) == "" and rows_needed(met) is None
