"""Which variant to take: the frontier of size, speed and nearness, and a recommendation under limits."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from brewslm.handlers.base import Metric


class Difference(BaseModel):
    """A variant's metric less the reference's, on the same rows.

    Attributes:
        low, high: Its 95 % interval.
        p_worse: How probable so bad a result is if the variant is not worse (McNemar's exact test); None where there is no such.
        worse: It is, by that test or by its interval, at 5 %.
    """

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    n: int
    p_worse: float | None
    worse: bool


class Variant(BaseModel):
    """What was measured of one variant.

    Attributes:
        kl, agreement: Of the smoke check, to the trained model; None where its runtime tells no distribution.
        difference: From the reference; None of itself, and where the two can't be compared: `note` says why.
        scoring: How its answers were had.
        seconds: That it took to answer the rows.
        reads_per_second, writes_per_second: Tokens, one request at a time; None where it was not timed.
    """

    model_config = ConfigDict(frozen=True)

    variant: str
    size_bytes: int
    bits_per_weight: float
    kl: float | None
    agreement: float | None
    metric: Metric
    difference: Difference | None
    note: str = ""
    scoring: str | None
    seconds: float
    reads_per_second: float | None
    writes_per_second: float | None
    peak_memory_bytes: int | None

    @property
    def worse(self) -> bool:
        """Whether it is worse than the reference."""
        return self.difference is not None and self.difference.worse


class Limits(BaseModel):
    """What a variant must keep to; None: no limit.

    Attributes:
        max_mb: Of its files, in 10^6 bytes; `max_memory_mb`: of its process.
        min_tokens_per_second: That it writes.
        min_quality: Of the task's metric, in its own unit: the least, or where lower is better the most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_mb: float | None = None
    max_memory_mb: float | None = None
    min_tokens_per_second: float | None = None
    min_quality: float | None = None

    @property
    def asks_for_room(self) -> bool:
        """Whether size, memory or speed is limited: then what is left to choose is how near to the trained model it stays."""
        return any(one is not None for one in (self.max_mb, self.max_memory_mb, self.min_tokens_per_second))


class Recommendation(BaseModel):
    """The variant to take, and why.

    Attributes:
        variant: None where none keeps to the limits.
        left_out: Each other variant → why it was not taken.
    """

    variant: str | None
    why: str
    left_out: dict[str, str]


def frontier(variants: Sequence[Variant]) -> list[str]:
    """Variants that no other beats or equals in size, speed and nearness to the trained model, being better in one of them.

    What was not measured of both can't decide; two alike in everything both stand.
    """
    return [one.variant for one in variants if not any(_dominates(other, one) for other in variants if other is not one)]


def _dominates(one: Variant, other: Variant) -> bool:
    gains = []
    for ours, theirs in (
        (-one.size_bytes, -other.size_bytes),
        (one.writes_per_second, other.writes_per_second),
        (None if one.kl is None else -one.kl, None if other.kl is None else -other.kl),
    ):
        if ours is None or theirs is None:
            return False
        gains.append(ours - theirs)
    return min(gains) >= 0 and max(gains) > 0


def recommended(variants: Sequence[Variant], higher_is_better: bool, limits: Limits | None = None) -> Recommendation:
    """Under a limit of size, memory or speed: the nearest to the trained model; else the smallest. Never one that is worse."""
    limits = limits or Limits()
    left_out: dict[str, str] = {}
    fitting: list[Variant] = []
    for one in variants:
        cause = _refused(one, higher_is_better, limits)
        if cause:
            left_out[one.variant] = cause
        else:
            fitting.append(one)
    if not fitting:
        return Recommendation(variant=None, why="no variant keeps to the limits", left_out=left_out)
    if limits.asks_for_room:
        best = min(fitting, key=lambda one: (one.kl if one.kl is not None else 1 - (one.agreement or 0), one.size_bytes))
        why = "of those within the limits it is nearest to the trained model"
    else:
        best = min(fitting, key=lambda one: one.size_bytes)
        why = "it is the smallest that is not worse than the reference" + (
            " and good enough" if limits.min_quality is not None else ""
        )
    less = "farther from the trained model" if limits.asks_for_room else "larger"
    left_out |= {one.variant: less for one in fitting if one is not best}
    return Recommendation(variant=best.variant, why=why, left_out=left_out)


def _refused(one: Variant, higher_is_better: bool, limits: Limits) -> str:
    if one.worse and one.difference is not None:
        return f"worse than the reference by {abs(one.difference.value):.3f}"
    checks: list[tuple[float | None, float | None, bool, str]] = [
        (limits.max_mb, one.size_bytes / 1e6, True, "MB"),
        (limits.max_memory_mb, None if one.peak_memory_bytes is None else one.peak_memory_bytes / 1e6, True, "MB of memory"),
        (limits.min_tokens_per_second, one.writes_per_second, False, "tokens/s"),
        (limits.min_quality, one.metric.value, not higher_is_better, "of the metric"),
    ]
    for limit, found, at_most, unit in checks:
        if limit is None:
            continue
        if found is None:
            return f"its {unit} were not measured"
        if found > limit if at_most else found < limit:
            return f"{found:,.3g} {unit}, the limit is {limit:,.3g}"
    return ""
