"""Metrics with their intervals, from what was counted row by row."""

from collections.abc import Sequence

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
