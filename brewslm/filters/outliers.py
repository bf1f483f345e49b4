"""Which values lie far from the rest."""

from collections.abc import Sequence
from statistics import fmean, median


def outliers(values: Sequence[float], deviations: float) -> list[int]:
    """Places of the values that are more than so many robust standard deviations from the median.

    The deviation is 1.4826 x the median absolute deviation; where more than half of the values are equal that is 0, and
    1.2533 x the mean absolute deviation stands in (Iglewicz and Hoaglin, 1993).
    """
    if not values:
        return []
    middle = median(values)
    distances = [abs(value - middle) for value in values]
    scale = 1.4826 * median(distances) or 1.2533 * fmean(distances)
    return [place for place, distance in enumerate(distances) if scale and distance / scale > deviations]
