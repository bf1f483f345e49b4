"""Quantiles of what is measured without end, in bounded space.

DDSketch (Masson, Rim and Lee, VLDB 2019): values are counted in buckets whose bounds grow by a constant factor, so that a
quantile is off by no more than a known share of itself, and the sketches of two processes or days add up.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Self

ACCURACY = 0.01
"""A quantile is within this share of the true one."""
LEAST, MOST = 1e-6, 1e7
"""What is outside counts as these: at most 1,500 buckets."""
_GROWTH = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GROWTH = math.log(_GROWTH)


@dataclass
class Sketch:
    """Counts of positive numbers by bucket.

    Attributes:
        counts: Bucket k has the values from growth^(k-1), exclusive, to growth^k.
    """

    counts: dict[int, int] = field(default_factory=dict)

    def add(self, value: float) -> None:
        """Count one value."""
        key = math.ceil(math.log(min(max(value, LEAST), MOST)) / _LOG_GROWTH)
        self.counts[key] = self.counts.get(key, 0) + 1

    def merge(self, other: Self) -> None:
        """Count what the other has counted."""
        for key, count in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + count

    @property
    def n(self) -> int:
        """How many values were counted."""
        return sum(self.counts.values())

    def quantile(self, share: float) -> float | None:
        """The value of rank ⌊share · (n - 1)⌋, counted from 0, within `ACCURACY` of itself; None of nothing.

        Args:
            share: From 0 to 1: 0.95 is the 95th percentile.
        """
        rank, passed = math.floor(share * (self.n - 1)), 0
        for key in sorted(self.counts):
            passed += self.counts[key]
            if passed > rank:
                return 2 * _GROWTH**key / (_GROWTH + 1)
        return None

    def dump(self) -> dict[str, int]:
        """As JSON values."""
        return {str(key): count for key, count in sorted(self.counts.items())}

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> Self:
        """What `dump` gave."""
        return cls({int(key): count for key, count in dumped.items()})
