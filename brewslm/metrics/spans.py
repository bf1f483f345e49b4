"""Figures for spans, counted by nervaluate's strict strategy: type, start and end must all be right."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Span = dict[str, Any]
"""{"type", "start", "end", …}; end is exclusive."""


@dataclass(frozen=True)
class SpanCounts:
    """What was counted.

    Attributes:
        overall, per_class: precision, recall, f1 and the counts behind them.
        correct, predicted, expected: Spans of each row, in order.
        by_class: The same three of each type.
    """

    overall: dict[str, float]
    per_class: dict[str, dict[str, float]]
    correct: list[int]
    predicted: list[int]
    expected: list[int]
    by_class: dict[str, tuple[list[int], list[int], list[int]]]


def count_spans(expected: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> SpanCounts:
    """Compare the spans of each row.

    Spans of one row must not overlap one another: nervaluate pairs an expected span with the first that overlaps it, so a
    wrong overlapping one could take an exact one's place.
    """
    from nervaluate import Evaluator

    tags = sorted({span["type"] for row in (*expected, *predicted) for span in row})
    counts = [[len(row) for row in rows] for rows in (predicted, expected)]
    if not tags:
        return SpanCounts(_figures(None), {}, [0] * len(expected), counts[0], counts[1], {})
    found = Evaluator(_as_entities(expected), _as_entities(predicted), tags=tags, loader="dict").evaluate()
    by_row = Counter(row for row, _ in found["overall_indices"]["strict"].correct_indices)
    return SpanCounts(
        overall=_figures(found["overall"]["strict"]),
        per_class={tag: _figures(found["entities"][tag]["strict"]) for tag in tags},
        correct=[by_row[row] for row in range(len(expected))],
        predicted=counts[0],
        expected=counts[1],
        by_class={tag: _of_type(expected, predicted, tag) for tag in tags},
    )


def _of_type(
    expected: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], tag: str
) -> tuple[list[int], list[int], list[int]]:
    """Correct, predicted and expected spans of one type in each row: equal places count, as in the strict strategy."""
    said, wanted = (
        [Counter((span["start"], span["end"]) for span in row if span["type"] == tag) for row in rows]
        for rows in (predicted, expected)
    )
    right = [(found & due).total() for found, due in zip(said, wanted, strict=True)]
    return right, [found.total() for found in said], [due.total() for due in wanted]


def _as_entities(rows: Sequence[Sequence[Span]]) -> list[list[dict[str, Any]]]:
    """nervaluate's ends are inclusive: with exclusive ones, neighbours would overlap."""
    return [[{"label": span["type"], "start": span["start"], "end": span["end"] - 1} for span in row] for row in rows]


def _figures(result: Any) -> dict[str, float]:
    if result is None:  # no span anywhere: nothing was wrong, and nothing was found
        return {"precision": 0.0, "recall": 0.0, "f1": 0.0, "correct": 0, "predicted": 0, "expected": 0}
    shares = {name: float(getattr(result, name)) for name in ("precision", "recall", "f1")}
    return shares | {"correct": result.correct, "predicted": result.actual, "expected": result.possible}
