"""How well a model knows texts, from the probability that it gave to each."""

from collections.abc import Sequence
from math import log
from typing import Any

from brewslm.metrics.figure import Figure, of_sums, quotient


def perplexity(log_likelihoods: Sequence[float], tokens: Sequence[int]) -> Figure:
    """exp of the mean negative log-probability (natural) of a token, over all rows' tokens.

    Models with different tokenizers can't be compared by it: `bits_per_byte` can.
    """
    import numpy as np

    def worth(sums: Any) -> Any:
        return np.exp(-quotient(sums))

    return of_sums(list(zip(log_likelihoods, tokens, strict=True)), worth)


def bits_per_byte(log_likelihoods: Sequence[float], texts: Sequence[str]) -> Figure:
    """Bits that the model needs for a byte of the texts in UTF-8: 8 for one that knows nothing."""
    return of_sums(_bits(log_likelihoods, texts), quotient)


def bits_saved(log_likelihoods: Sequence[float], texts: Sequence[str]) -> Figure:
    """The share of a byte's 8 bits that is saved so."""
    return of_sums(_bits(log_likelihoods, texts), lambda sums: 1 - quotient(sums) / 8)


def _bits(log_likelihoods: Sequence[float], texts: Sequence[str]) -> list[tuple[float, int]]:
    return [(-said / log(2), len(text.encode())) for said, text in zip(log_likelihoods, texts, strict=True)]
