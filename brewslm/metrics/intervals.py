"""Intervals and paired tests, from SciPy. A confidence is of the two-sided interval, unless it says otherwise."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

SEED = 20260801
"""Resampling starts here, so that the same predictions give the same interval."""
RESAMPLES = 1000


@lru_cache(maxsize=10_000)  # SciPy's takes a p-value's time, and a search or a simulation asks the same again
def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share (1927): right also near 0 and 1, where the normal one leaves [0, 1].

    Returns:
        (low, high); (0, 1) when n is 0, for then nothing is known.
    """
    from scipy.stats import binomtest

    if n == 0:
        return 0.0, 1.0
    found = binomtest(successes, n).proportion_ci(confidence_level=confidence, method="wilson")
    return float(found.low), float(found.high)


def bootstrap(
    statistic: Callable[..., Any], *samples: Any, vectorized: bool = False, confidence: float = 0.95
) -> tuple[float, float]:
    """The percentile interval of a statistic, resampling rows (Efron 1979).

    Args:
        statistic: Takes the samples, resampled together, and gives a number (an array of them along `axis` when vectorized).
        samples: Sequences or arrays with one entry a row, all of one length.

    Returns:
        (low, high). Fewer than two rows can't be resampled: the statistic itself, twice.
    """
    import numpy as np
    from scipy import stats

    arrays = [np.asarray(sample) for sample in samples]
    if len(arrays[0]) < 2:
        value = float(statistic(*arrays, axis=-1) if vectorized else statistic(*arrays))
        return value, value
    found = stats.bootstrap(
        arrays, statistic, paired=True, vectorized=vectorized, n_resamples=RESAMPLES, batch=100, method="percentile",
        confidence_level=confidence, rng=np.random.default_rng(SEED),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)


def paired_test(first: Sequence[bool], second: Sequence[bool]) -> dict[str, float]:
    """McNemar's exact test on the rows where two systems differ.

    Returns:
        wins (only `first` was right), losses (only `second` was), and the two-sided p_value (1 when they never differ).
    """
    from scipy.stats import binomtest

    wins = sum(a and not b for a, b in zip(first, second, strict=True))
    losses = sum(b and not a for a, b in zip(first, second, strict=True))
    p_value = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return {"wins": wins, "losses": losses, "p_value": p_value}


@lru_cache(maxsize=10_000)
def better_by_chance(wins: int, losses: int) -> float:
    """McNemar's exact test to one side: how probable so many wins are if neither system is better (1 when they never differ)."""
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses, alternative="greater").pvalue) if wins + losses else 1.0


@lru_cache(maxsize=10_000)
def paired_share_difference(wins: int, losses: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of the difference of two shares on the same n rows (Bonett and Price 2012).

    A win and a loss are added before it is taken, so that it holds with few rows too, and where the two never differ.

    Returns:
        (low, high) within [-1, 1]; all of that when n is 0.
    """
    from math import sqrt

    from scipy.stats import norm

    if n == 0:
        return -1.0, 1.0
    won, lost = (wins + 1) / (n + 2), (losses + 1) / (n + 2)
    half = float(norm.ppf((1 + confidence) / 2)) * sqrt((won + lost - (won - lost) ** 2) / (n + 2))
    return max(-1.0, won - lost - half), min(1.0, won - lost + half)
