"""Whether a model that is served still answers as it did: the same rows asked again, held against its own former answers.

Why it is this rule: docs/decisions/0017-when-a-check-says-drift.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log2
from typing import Any

from brewslm.metrics.figure import Figure
from brewslm.metrics.intervals import better_by_chance
from brewslm.metrics.paired import difference

_SAME = 1e-9
"""Figures of one row that are no further apart are the same."""


@dataclass(frozen=True)
class Rule:
    """When a check says drift.

    Attributes:
        tolerance: As a share: so many of the rows may answer worse for ever, and the figure may fall by so much (0.01: a point).
        false_alarms: Of versions that did not change, the share that is called drifted at least once within any `looks` checks:
            at the most, whatever the near-ties among their answers.
    """

    tolerance: float = 0.01
    false_alarms: float = 0.05
    looks: int = 90

    @property
    def alpha(self) -> float:
        """Of a single check: the looks share the false alarms evenly (Bonferroni), for they share their reference answers."""
        return self.false_alarms / self.looks

    def forgiven(self, n: int) -> int:
        """Rows of n that the tolerance gives away."""
        return floor(self.tolerance * n + _SAME)

    def p_value(self, worse: int, better: int, n: int) -> float:
        """How probable so many worse rows are of a version that has lost no more than the tolerance.

        McNemar's exact test (1947) to one side, once the forgiven rows are taken from the worse ones. If at most so many were
        lost for ever, and each other row answers now as it might have answered then, the remaining changes are fair coins; to
        take away as many as can have been lost only makes the p-value larger.
        """
        return better_by_chance(max(0, worse - self.forgiven(n)), better)

    def told_at(self, n: int) -> int | None:
        """The fewest worse rows that say drift when none got better; None where n rows can't say it."""
        fewest = self.forgiven(n) + ceil(log2(1 / self.alpha))
        return fewest if fewest <= n else None


DEFAULT = Rule()


@dataclass(frozen=True)
class Drift:
    """What a check found, in the figure's own unit.

    Attributes:
        n: Rows that were asked.
        before, value: The figure of the reference answers, and of the answers now.
        low, high: 95 % interval of the figure now.
        fall: How much worse it is now; fall_low and fall_high are its 95 % interval, of the same rows.
        worse, better: Rows that answer worse, or better, than they did.
        drifted: The p-value is no more than the rule's alpha, and the figure fell by more than the tolerance.
        worse_places: Which rows got worse.
    """

    n: int
    before: float
    value: float
    low: float
    high: float
    fall: float
    fall_low: float
    fall_high: float
    worse: int
    better: int
    p_value: float
    drifted: bool
    worse_places: tuple[int, ...]


def compare(
    before: Figure, now: Figure, right_before: Sequence[bool], right_now: Sequence[bool], rule: Rule = DEFAULT, *,
    lower_is_better: bool = False,
) -> Drift:  # fmt: skip
    """Hold the answers now against the reference answers.

    Args:
        before, now: The primary metric of the same rows.
        right_before, right_now: Whether each row was wholly right: it decides where a row's own figure is the same.
        lower_is_better: Of the metric, such as an error rate.
    """
    asked = before.counted | now.counted
    n = int(asked.sum())
    changed = _changes(before, now, right_before, right_now, -1 if lower_is_better else 1) * asked
    worse_places = tuple((changed < 0).nonzero()[0].tolist())
    worse, better = len(worse_places), int((changed > 0).sum())
    fallen = difference(now, before) if lower_is_better else difference(before, now)
    p_value = rule.p_value(worse, better, n)
    low, high = now.interval()
    return Drift(
        n=n, before=before.value, value=now.value, low=low, high=high, fall=fallen.value, fall_low=fallen.low,
        fall_high=fallen.high, worse=worse, better=better, p_value=p_value,
        drifted=p_value <= rule.alpha and fallen.value > rule.tolerance + _SAME, worse_places=worse_places,
    )  # fmt: skip


def _changes(before: Figure, now: Figure, right_before: Sequence[bool], right_now: Sequence[bool], up: int) -> Any:
    """Of each row -1 where it got worse, 1 where it got better, 0 where neither: by its own figure, else by its being right."""
    import numpy as np

    gap = up * (np.asarray(now.worth(now.counts), dtype=float) - np.asarray(before.worth(before.counts), dtype=float))
    right = np.asarray(right_now, dtype=int) - np.asarray(right_before, dtype=int)
    return np.where(np.abs(gap) > _SAME, np.sign(gap), right)
