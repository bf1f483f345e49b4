"""When many things are looked at, some look bad by chance: p-values that take the number of looks into account."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979): with it, the chance that any of them is wrongly below a level stays below that level.

    Returns:
        The corrected values, in the order given, each at most 1.
    """
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected
