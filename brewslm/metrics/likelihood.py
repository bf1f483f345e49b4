"""How well a model knows texts, from the probability that it gave to each."""

from collections.abc import Sequence
from math import exp, log
from typing import Any

from brewslm.metrics.intervals import bootstrap
from brewslm.metrics.text import Interval


def perplexity(log_likelihoods: Sequence[float], tokens: Sequence[int]) -> Interval:
    """exp of the mean negative log-probability (natural) of a token, over all rows' tokens; its interval resamples rows.

    Models with different tokenizers can't be compared by it: `bits_per_byte` can.
    """
    import numpy as np

    def figure(sums: Any, counts: Any, axis: int = -1) -> Any:
        return np.exp(-sums.sum(axis=axis) / counts.sum(axis=axis))

    low, high = bootstrap(figure, np.asarray(log_likelihoods, float), np.asarray(tokens, float), vectorized=True)
    return exp(-sum(log_likelihoods) / sum(tokens)), low, high


def bits_per_byte(log_likelihoods: Sequence[float], texts: Sequence[str]) -> Interval:
    """Bits that the model needs for a byte of the texts in UTF-8: 8 for one that knows nothing; its interval resamples rows."""
    import numpy as np

    sizes = [len(text.encode()) for text in texts]

    def figure(sums: Any, lengths: Any, axis: int = -1) -> Any:
        return -sums.sum(axis=axis) / log(2) / lengths.sum(axis=axis)

    low, high = bootstrap(figure, np.asarray(log_likelihoods, float), np.asarray(sizes, float), vectorized=True)
    return -sum(log_likelihoods) / log(2) / sum(sizes), low, high
