"""Metrics with their intervals, from what was counted row by row."""

from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import Metric
from brewslm.metrics import intervals


def share(right: Sequence[bool]) -> Metric:
    """The share of rows that are right, with Wilson's interval; of no rows nothing is known: 0, from 0 to 1."""
    low, high = intervals.wilson(sum(right), len(right))
    return Metric(value=sum(right) / max(1, len(right)), low=low, high=high, n=len(right))


def mean(values: Sequence[float]) -> Metric:
    """The mean over rows of a figure between 0 and 1, its interval resampling rows; of no rows 0, from 0 to 1."""
    import numpy as np

    if not values:
        return Metric(value=0.0, low=0.0, high=1.0, n=0)
    low, high = intervals.bootstrap(np.mean, values, vectorized=True)
    return Metric(value=sum(values) / len(values), low=low, high=high, n=len(values))


def corpus(figures: tuple[float, float, float], n: int) -> Metric:
    """A figure of a whole corpus, (value, low, high), as a library gives it."""
    value, low, high = figures
    return Metric(value=value, low=low, high=high, n=n)


def micro(correct: Sequence[int], predicted: Sequence[int], expected: Sequence[int]) -> dict[str, Metric]:
    """Micro precision, recall and F1 of what was found in each row; the intervals resample rows.

    Args:
        correct: Of each row, how many finds were right; `predicted`: how many there were; `expected`: how many there should be.
    """
    import numpy as np

    right, found, wanted = (np.asarray(counts, dtype=float) for counts in (correct, predicted, expected))

    def ratio(part: Any, whole: Any, axis: int = -1) -> Any:
        return part.sum(axis=axis) / np.maximum(whole.sum(axis=axis), 1e-9)

    made = {}
    for name, whole in (("precision", found), ("recall", wanted), ("f1", (found + wanted) / 2)):
        low, high = intervals.bootstrap(ratio, right, whole, vectorized=True)
        made[name] = Metric(value=float(ratio(right, whole)), low=low, high=high, n=len(right))
    return made
