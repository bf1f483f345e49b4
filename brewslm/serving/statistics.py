"""What the gateway counts of each version and day: outcomes, and the distributions of latency, first token and speed.

Counts are kept in memory and added to the tables every other second, so that a gateway that is killed loses no more than that;
several gateways add to the same rows.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import anyio
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from brewslm.metrics.sketch import Sketch
from brewslm.reasons import REGISTRY
from brewslm.serving.exchange import FAILED, OK, Exchange
from brewslm.store.database import reading, transaction
from brewslm.store.tables import GatewayStatistic

PERIOD_SECONDS = 2.0
PERCENTILES = (50, 95, 99)
log = logging.getLogger(__name__)


@dataclass
class Tally:
    """Counts of some requests.

    Attributes:
        latency: Seconds from the request to the end of its answer; of those that were answered well.
        first_token: Seconds from the request to the first token, of streams.
        speed: Tokens a second of each answer.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    tokens: int = 0
    latency: Sketch = field(default_factory=Sketch)
    first_token: Sketch = field(default_factory=Sketch)
    speed: Sketch = field(default_factory=Sketch)

    def count(self, one: Exchange) -> None:
        """Count a request that has ended."""
        self.outcomes[one.outcome] += 1
        self.prompt_tokens += one.prompt_tokens
        self.tokens += one.tokens
        if one.first_seconds is not None:
            self.first_token.add(one.first_seconds)
        if one.outcome == OK:
            self.latency.add(one.seconds)
            if (speed := one.speed) is not None:
                self.speed.add(speed)

    def merge(self, other: Self) -> None:
        """Count what the other has counted."""
        self.outcomes.update(other.outcomes)
        self.prompt_tokens += other.prompt_tokens
        self.tokens += other.tokens
        for mine, its in ((self.latency, other.latency), (self.first_token, other.first_token), (self.speed, other.speed)):
            mine.merge(its)

    def dump(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "outcomes": dict(self.outcomes), "prompt_tokens": self.prompt_tokens, "tokens": self.tokens,
            "latency": self.latency.dump(), "first_token": self.first_token.dump(), "speed": self.speed.dump(),
        }  # fmt: skip

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> Self:
        """What `dump` gave."""
        sketches = {name: Sketch.load(dumped[name]) for name in ("latency", "first_token", "speed")}
        return cls(Counter(dumped["outcomes"]), dumped["prompt_tokens"], dumped["tokens"], **sketches)


class Percentiles(BaseModel):
    """Of a distribution; None where nothing was measured. Each is within 1 % of itself: see metrics/sketch.py."""

    p50: float | None
    p95: float | None
    p99: float | None
    n: int


class Summary(BaseModel):
    """What the gateway counted of one version.

    Attributes:
        requests: All that took or wanted this version.
        errors: Those that were not answered, or not wholly, for want of room or by a fault on this side (429, 5xx).
        outcomes: Count by "ok", reason code, "http_400" and the like, "client_gone".
        latency_seconds: Of the requests that were answered well, until their last byte.
        first_token_seconds: Of streams.
        tokens_per_second: Of single answers, while they were written.
    """

    requests: int
    errors: int
    outcomes: dict[str, int]
    prompt_tokens: int
    tokens: int
    latency_seconds: Percentiles
    first_token_seconds: Percentiles
    tokens_per_second: Percentiles


class Recorder:
    """The counts of this process that are not written yet."""

    def __init__(self) -> None:
        self._pending: dict[tuple[int, str], Tally] = {}

    def count(self, one: Exchange) -> None:
        """Count a request that has ended; one that found no version is no version's."""
        if one.now is None or not one.counted:
            return
        key = (one.now.version_id, today())
        self._pending.setdefault(key, Tally()).count(one)

    async def keep_writing(self) -> None:
        """Write what was counted, every other second, until it is cancelled; then once more."""
        try:
            while True:
                await anyio.sleep(PERIOD_SECONDS)
                await self.flush()
        finally:
            with anyio.CancelScope(shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Add the counts to the tables. Where that fails, they are kept for the next time."""
        taken, self._pending = self._pending, {}
        if not taken:
            return
        try:
            await anyio.to_thread.run_sync(_write, taken)
        except (SQLAlchemyError, OSError):
            log.warning("the gateway's statistics were not written; they will be", exc_info=True)
            for key, tally in taken.items():
                tally.merge(self._pending.get(key, Tally()))
                self._pending[key] = tally


def today() -> str:
    """The day in UTC, such as 2026-11-29."""
    return datetime.now(UTC).date().isoformat()


def _write(tallies: dict[tuple[int, str], Tally]) -> None:
    with transaction() as session:
        for key, tally in tallies.items():
            row = session.get(GatewayStatistic, key, with_for_update=True)
            if row is None:
                session.add(GatewayStatistic(version_id=key[0], day=key[1], tally=tally.dump()))
                continue
            known = Tally.load(row.tally)
            known.merge(tally)
            row.tally = known.dump()


def summaries(version_ids: Iterable[int], days: int | None = None) -> dict[int, Summary]:
    """What was counted of each version that was ever asked.

    Args:
        days: Only of the last so many days (UTC), today among them.
    """
    query = select(GatewayStatistic).where(GatewayStatistic.version_id.in_(list(version_ids)))
    if days is not None:
        query = query.where(GatewayStatistic.day > (datetime.now(UTC).date() - timedelta(days=days)).isoformat())
    found: dict[int, Tally] = {}
    with reading() as session:
        for row in session.scalars(query):
            found.setdefault(row.version_id, Tally()).merge(Tally.load(row.tally))
    return {version_id: _summary(tally) for version_id, tally in found.items()}


def _summary(tally: Tally) -> Summary:
    errors = sum(count for name, count in tally.outcomes.items() if _is_error(name))
    return Summary(
        requests=tally.outcomes.total(), errors=errors, outcomes=dict(sorted(tally.outcomes.items())),
        prompt_tokens=tally.prompt_tokens, tokens=tally.tokens, latency_seconds=_percentiles(tally.latency),
        first_token_seconds=_percentiles(tally.first_token), tokens_per_second=_percentiles(tally.speed),
    )  # fmt: skip


def _is_error(outcome: str) -> bool:
    if outcome in REGISTRY:
        return REGISTRY[outcome].status == 429 or REGISTRY[outcome].status >= 500
    return outcome == FAILED or outcome.startswith("http_5")


def _percentiles(sketch: Sketch) -> Percentiles:
    p50, p95, p99 = (sketch.quantile(one / 100) for one in PERCENTILES)
    return Percentiles(p50=p50, p95=p95, p99=p99, n=sketch.n)
