"""A model of the last few bytes: what counting alone knows of a text."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from math import log

ORDER = 5
"""Bytes that are looked back at."""


class ByteGrams:
    """Bytes after the ones before them, interpolated from no context to `ORDER` bytes (Witten and Bell 1991, method C).

    Args:
        texts: What is counted.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts: defaultdict[bytes, Counter[int]] = defaultdict(Counter)
        for text in texts:
            for context, byte in _places(text):
                for length in range(len(context) + 1):
                    self._counts[context[len(context) - length :]][byte] += 1

    def log_likelihood(self, text: str) -> float:
        """The natural log-probability of the text's bytes."""
        return sum(log(self._probability(context, byte)) for context, byte in _places(text))

    def _probability(self, context: bytes, byte: int) -> float:
        probability = 1 / 256
        for length in range(len(context) + 1):
            seen = self._counts.get(context[len(context) - length :])
            if seen:
                kinds, total = len(seen), seen.total()
                probability = (seen[byte] + kinds * probability) / (total + kinds)
        return probability


def _places(text: str) -> Iterator[tuple[bytes, int]]:
    data = text.encode()
    for at, byte in enumerate(data):
        yield data[max(0, at - ORDER) : at], byte
