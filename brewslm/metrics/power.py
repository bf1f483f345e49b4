"""What a number of rows can tell: the power of a gate, and the smallest difference that is told apart.

A confidence is one-sided here, as a gate's is: of all draws of a system that is truly at the threshold, 1 - confidence pass.
"""

from bisect import bisect_left
from math import sqrt

from brewslm.metrics.intervals import wilson

CONFIDENCE, POWER = 0.95, 0.8
"""What a sentence about rows takes for granted (Cohen 1988): of differences that are there, 4 in 5 are found."""


def share_power(n: int, threshold: float, truth: float, confidence: float = CONFIDENCE) -> float:
    """How probable it is that n rows show a share above a threshold, if it is truly `truth`: exact, over all outcomes."""
    from scipy.stats import binom

    return float(binom.sf(_passing(n, threshold, confidence) - 1, n, truth))


def normal_power(effect: float, standard_error: float, confidence: float = CONFIDENCE) -> float:
    """How probable it is that an estimate's one-sided bound clears a threshold that lies `effect` below the truth."""
    from scipy.stats import norm

    if standard_error == 0:
        return float(effect > 0)
    return float(norm.sf(norm.ppf(confidence) - effect / standard_error))


def detectable(standard_error: float, confidence: float = CONFIDENCE, power: float = POWER) -> float:
    """The smallest effect that is told with this power, in the unit of the standard error."""
    from scipy.stats import norm

    return float((norm.ppf(confidence) + norm.ppf(power)) * standard_error)


def share_error(n: int, share: float) -> float:
    """The standard error of a share on n rows."""
    return sqrt(share * (1 - share) / n)


def paired_error(n: int, disagreeing: float, difference: float = 0.0) -> float:
    """The standard error of the difference of two shares on the same n rows (Connor 1987).

    Args:
        disagreeing: The share of rows that only one of the two has right.
    """
    return sqrt(max(0.0, disagreeing - difference**2) / n)


def detectable_paired(n: int, disagreeing: float, confidence: float = CONFIDENCE, power: float = POWER) -> float:
    """The smallest true difference of two shares on the same n rows that is told with this power.

    Two systems can't differ by more than the share of rows they disagree on: that is the answer where n is too small for less.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    beyond, found = float(norm.ppf(confidence)), float(norm.ppf(power))

    def short(gap: float) -> float:  # error under no difference, and under this one: the classical two
        return beyond * paired_error(n, disagreeing) + found * paired_error(n, disagreeing, gap) - gap

    if disagreeing == 0 or short(disagreeing) > 0:
        return disagreeing
    return float(brentq(short, 0.0, disagreeing))


def detectable_share(n: int, threshold: float, confidence: float = CONFIDENCE, power: float = POWER) -> float | None:
    """How far above a threshold a share must truly be for n rows to show it with this power; None if none can be so far."""
    from scipy.optimize import brentq
    from scipy.stats import binom

    passing = _passing(n, threshold, confidence)
    if passing > n:
        return None
    truth = brentq(lambda share: binom.sf(passing - 1, n, share) - power, 0.0, 1.0) if passing else threshold
    return max(0.0, float(truth) - threshold)


def _passing(n: int, threshold: float, confidence: float) -> int:
    """The fewest right rows of n whose bound clears the threshold; n + 1 if even all of them don't."""
    return bisect_left(range(n + 1), True, key=lambda right: wilson(right, n, 2 * confidence - 1)[0] >= threshold)
