"""How far two people, or a person and a judge, agree beyond chance."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from brewslm.metrics.intervals import bootstrap

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class Kappa(BaseModel):
    """Cohen's kappa (1960) of two ratings of the same items.

    Attributes:
        n: Items that both rated; `agreed`: those that both rated the same.
        value: 1 for agreement in all, 0 for what chance gives; None where it is not defined: both rated every item alike with
            one and the same rating, or n is 0.
        low, high: Its 95 % bootstrap interval over items.
    """

    model_config = ConfigDict(frozen=True)

    n: int
    agreed: int
    value: float | None
    low: float | None
    high: float | None


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> Kappa:
    """The kappa of two sequences of ratings, one entry an item, as scikit-learn computes it."""
    import numpy as np
    from sklearn.metrics import cohen_kappa_score

    agreed = sum(a == b for a, b in zip(first, second, strict=True))
    if len({*first, *second}) < 2:
        return Kappa(n=len(first), agreed=agreed, value=None, low=None, high=None)
    names, codes = np.unique([*first, *second], return_inverse=True)
    ours, theirs = codes[: len(first)], codes[len(first) :]
    low, high = bootstrap(lambda a, b, axis=-1: _kappa(a, b, len(names)), ours, theirs, vectorized=True)
    return Kappa(n=len(first), agreed=agreed, value=float(cohen_kappa_score(ours, theirs)), low=low, high=high)


def _kappa(ours: "Array", theirs: "Array", names: int) -> "Array":
    """Of many resamples at once. One in which every item was rated alike, where kappa has no value, counts as full agreement."""
    import numpy as np

    observed = (ours == theirs).mean(axis=-1)
    chance = sum(((ours == name).mean(axis=-1) * (theirs == name).mean(axis=-1) for name in range(names)), np.float64(0.0))
    return np.where(chance < 1.0, (observed - chance) / np.where(chance < 1.0, 1.0 - chance, 1.0), 1.0)
