"""Whether a model is as often right as its probabilities say."""

from collections.abc import Mapping, Sequence
from typing import Any

from brewslm.metrics.figure import Figure, mean, of_sums

BINS = 10
Probabilities = Sequence[Mapping[str, float]]
"""Label → probability of each row, summing to 1."""


def expected_calibration_error(expected: Sequence[str], probabilities: Probabilities) -> Figure:
    """The gap between how sure the model is of its answers and how many are right, weighted over ten bins (Guo et al. 2017).

    As torchmetrics' MulticlassCalibrationError with norm l1. It is never below 0, so that of few rows it looks worse than it is.
    """
    import numpy as np

    right, sure, bins = _top(expected, probabilities)
    counts = np.zeros((len(right), 2 * BINS + 1))
    rows = np.arange(len(right))
    counts[rows, bins], counts[rows, BINS + bins], counts[:, -1] = right, sure, 1.0

    def worth(sums: Any) -> Any:
        gaps, whole = np.abs(sums[..., :BINS] - sums[..., BINS : 2 * BINS]).sum(axis=-1), sums[..., -1]
        return np.divide(gaps, whole, out=np.zeros_like(gaps), where=whole > 0)

    return of_sums(counts, worth)


def brier_score(expected: Sequence[str], probabilities: Probabilities) -> Figure:
    """The squared distance between the probabilities and the truth, from 0 to 2 (Brier 1950); scikit-learn's, unscaled."""
    return mean([
        sum((chance - (label == truth)) ** 2 for label, chance in given.items()) + (truth not in given)
        for truth, given in zip(expected, probabilities, strict=True)
    ])  # fmt: skip


def reliability(expected: Sequence[str], probabilities: Probabilities) -> list[dict[str, float]]:
    """What a reliability diagram shows: of each bin that has rows its n, its mean probability and its accuracy."""
    right, sure, bins = _top(expected, probabilities)
    found = []
    for at in range(BINS):
        here = bins == at
        if count := int(here.sum()):
            found.append({"n": count, "probability": float(sure[here].mean()), "accuracy": float(right[here].mean())})
    return found


def _top(expected: Sequence[str], probabilities: Probabilities) -> tuple[Any, Any, Any]:
    """Of each row whether its most probable label is right, how probable that is, and its bin; a bin holds its upper bound."""
    import numpy as np

    top = [max(given, key=given.__getitem__) for given in probabilities]
    right = np.array([said == truth for said, truth in zip(top, expected, strict=True)], dtype=float)
    sure = np.array([given[said] for said, given in zip(top, probabilities, strict=True)], dtype=float)
    return right, sure, np.clip(np.ceil(sure * BINS) - 1, 0, BINS - 1).astype(int)
