"""Two systems on the same rows: how far apart they are, and how sure that is."""

from dataclasses import dataclass
from typing import Any

from brewslm.metrics import intervals
from brewslm.metrics.figure import Figure, sums_at


@dataclass(frozen=True)
class Difference:
    """`first` less `second`, in the metric's own unit.

    Attributes:
        low, high: Its two-sided interval.
        n: Rows that were compared.
        p_better: How probable so good a result is if `first` is not better than `second`; None where there is no exact test.
    """

    value: float
    low: float
    high: float
    n: int
    p_better: float | None


def difference(first: Figure, second: Figure, confidence: float = 0.95, *, lower_is_better: bool = False) -> Difference:
    """The difference of two figures of the same rows.

    Of two shares of the same rows: Bonett and Price's interval, and McNemar's exact test. Otherwise rows are resampled, each with
    what both systems made of it, and the difference is taken each time (paired bootstrap: Koehn 2004).
    """
    import numpy as np

    value, n = first.value - second.value, int((first.counted | second.counted).sum())
    if first.is_share and second.is_share and bool((first.counted == second.counted).all()):
        gap = first.counts[:, 0] - second.counts[:, 0]
        wins, losses = int((gap > 0).sum()), int((gap < 0).sum())
        low, high = intervals.paired_share_difference(wins, losses, n, confidence)
        good, bad = (losses, wins) if lower_is_better else (wins, losses)
        return Difference(value, low, high, n, intervals.better_by_chance(good, bad))
    both = np.flatnonzero(first.counted | second.counted)
    counts, k = np.concatenate([first.counts[both], second.counts[both]], axis=1), first.counts.shape[1]

    def gaps(at: Any, axis: int = -1) -> Any:
        sums = sums_at(counts, at)
        return first.worth(sums[..., :k]) - second.worth(sums[..., k:])

    low, high = intervals.bootstrap(gaps, np.arange(len(both)), vectorized=True, confidence=confidence)
    return Difference(value, min(low, value), max(high, value), n, None)
