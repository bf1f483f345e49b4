"""How sure the figures of each class are, from what a scorecard counted."""

from collections.abc import Mapping
from typing import Any

from brewslm.metrics.intervals import wilson

Intervals = dict[str, dict[str, tuple[float, float]]]
"""Class → metric → (low, high)."""


def class_intervals(details: Mapping[str, Any], by: str) -> Intervals:
    """Wilson's 95 % intervals of precision and recall, where it is known how many they are shares of.

    F1 is no share: its interval would need the rows.

    Args:
        details: Of one system of a scorecard.
        by: Such as "per_class".
    """
    called = _called(details.get("confusion")) if by == "per_class" else {}
    found: Intervals = {}
    for name, figures in details[by].items():
        among = {
            "precision": figures.get("predicted", called.get(name)),
            "recall": figures.get("support", figures.get("expected")),
        }
        found[name] = {
            metric: wilson(round(figures[metric] * count), count)
            for metric, count in among.items()
            if count is not None and metric in figures
        }
    return found


def _called(confusion: Mapping[str, Any] | None) -> dict[str, int]:
    """Label → rows that were called so."""
    return dict(zip(confusion["labels"], map(sum, zip(*confusion["counts"], strict=True)), strict=True)) if confusion else {}
