"""A metric before it is a number: what each row counts for it, and what the sums of those counts are worth.

Every metric here is a function of sums over rows (a share, a mean, F1, BLEU, an error rate, a perplexity). Kept so, it can be had
of any part of the rows, at any confidence, and of two systems on the same rows, without asking a model or a library again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from brewslm.metrics import intervals

Worth = Callable[[Any], Any]
"""Sums (…, k) → figures (…)."""


@dataclass(frozen=True, eq=False)
class Figure:
    """One metric on some rows.

    Attributes:
        counts: (rows, k) array of floats; a row that does not count for it has zeros.
        worth: What sums of them are worth.
        counted: (rows,) array of booleans: the rows that it is about.
        is_share: Every counted row is 0 or 1, and the figure is their mean: then its interval is Wilson's.
    """

    counts: Any
    worth: Worth
    counted: Any
    is_share: bool = False

    @property
    def n(self) -> int:
        """Rows that it is about."""
        return int(self.counted.sum())

    @property
    def value(self) -> float:
        """The figure of all rows; of none what no counts are worth."""
        return float(self.worth(self.counts.sum(axis=0)))

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """The two-sided interval: Wilson's of a share, resampled rows otherwise.

        Rows that are all perfect, or all worthless, can't be resampled into anything else: then it is Wilson's too. Of no rows
        nothing is known: 0 to 1.
        """
        import numpy as np

        if self.is_share or self.n == 0:
            return intervals.wilson(round(float(self.counts[:, 0].sum())), self.n, confidence)
        rows, value = self.counts[self.counted], self.value
        low, high = intervals.bootstrap(
            lambda at, axis=-1: self.worth(sums_at(rows, at)), np.arange(len(rows)), vectorized=True, confidence=confidence
        )
        if high - low < 1e-9 and round(value, 9) in (0.0, 1.0):
            return intervals.wilson(round(value) * self.n, self.n, confidence)
        return min(low, value), max(high, value)

    def at(self, confidence: float = 0.95) -> tuple[float, float, float]:
        """(value, low, high)."""
        return self.value, *self.interval(confidence)

    def of(self, rows: Sequence[bool]) -> "Figure":
        """The same on some of the rows: one boolean for each."""
        import numpy as np

        chosen = np.asarray(rows, dtype=bool)
        return Figure(self.counts[chosen], self.worth, self.counted[chosen], self.is_share)


def share(right: Sequence[bool], among: Sequence[bool] | None = None) -> Figure:
    """The share of rows that are right, of all or of those `among` which are asked about."""
    return _mean(right, among, is_share=True)


def mean(values: Sequence[float], among: Sequence[bool] | None = None) -> Figure:
    """The mean over rows, of all or of those `among` which are asked about."""
    return _mean(values, among, is_share=False)


def _mean(values: Sequence[float], among: Sequence[bool] | None, *, is_share: bool) -> Figure:
    import numpy as np

    each = np.asarray(values, dtype=float).reshape(-1)
    counted = np.ones(len(each), dtype=bool) if among is None else np.asarray(among, dtype=bool)
    return Figure(np.stack([each * counted, counted.astype(float)], axis=1), quotient, counted, is_share)


def ratio(part: Any, whole: Any) -> Figure:
    """A sum over rows by another, such as correct spans by predicted ones."""
    import numpy as np

    return of_sums(np.stack([np.asarray(part, dtype=float), np.asarray(whole, dtype=float)], axis=1), quotient)


def of_sums(counts: Any, worth: Worth) -> Figure:
    """A figure of (rows, k) counts that every row counts for."""
    import numpy as np

    table = np.asarray(counts, dtype=float)
    return Figure(table, worth, np.ones(len(table), dtype=bool))


def quotient(sums: Any) -> Any:
    """The first sum by the second; 0 where that is 0."""
    import numpy as np

    part, whole = sums[..., 0], sums[..., 1]
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def sums_at(counts: Any, places: Any) -> Any:
    """The sums of (rows, k) counts over resampled places: (rows,) → (k,), (resamples, rows) → (resamples, k).

    How often each row was drawn, times its counts: taking the rows themselves would hold all of them for every resample.
    """
    import numpy as np

    drawn = np.stack([np.bincount(one, minlength=len(counts)) for one in np.atleast_2d(places)]).astype(float)
    sums = drawn @ counts
    return sums[0] if places.ndim == 1 else sums


def each_by(score: Callable[[list[float]], float]) -> Worth:
    """A worth out of a library's function of one list of sums."""

    def worth(sums: Any) -> Any:
        import numpy as np

        if sums.ndim == 1:
            return score(sums.tolist())
        return np.asarray([score(one.tolist()) for one in sums])

    return worth
