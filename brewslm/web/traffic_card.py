"""What the gateway counted of a slot's versions: requests, errors, latency, time to the first token, speed."""

from collections.abc import Callable

from brewslm.observe.gateway import VersionStatistics
from brewslm.serving.exchange import OK
from brewslm.serving.statistics import Percentiles
from brewslm.web.parts import Text, box
from brewslm.web.pieces import Column, chips, known_reasons, reason_chip, table
from brewslm.web.words import milliseconds, percent

SPANS: dict[str, int | None] = {"today": 1, "7 days": 7, "30 days": 30, "ever": None}
USUAL = "7 days"


class TrafficCard:
    """The filter by days, and the table.

    Args:
        days: A key of `SPANS`; `address` gives that of another.
    """

    def __init__(self, found: list[VersionStatistics], days: str, address: Callable[[str], str]) -> None:
        with box("section", "card", aria_labelledby="traffic"):
            Text("h2", "Requests and latency", id="traffic")
            chips("Days", [(name, address(name), None) for name in SPANS], days)
            self._drawn = box("div")
        self.show(found)

    def show(self, found: list[VersionStatistics]) -> None:
        """The counts at this moment."""
        self._drawn.clear()
        with self._drawn:
            if not found:
                Text("p", "The gateway counted no request in this time: how to send one stands below.", "empty")
                return
            columns: tuple[Column[VersionStatistics], ...] = (
                Column("Version", lambda one: f"v{one.version}"),
                Column("Requests", lambda one: f"{one.statistics.requests:,}", "figure"),
                Column("Errors", _errors, "figure"),
                Column("Latency p50 / p95 / p99", lambda one: _times(one.statistics.latency_seconds), "figure"),
                Column("First token p50 / p95 / p99", lambda one: _times(one.statistics.first_token_seconds), "figure"),
                Column("Tokens/s p50", lambda one: _speed(one.statistics.tokens_per_second), "figure"),
                Column("Tokens in, out", lambda one: f"{one.statistics.prompt_tokens:,}, {one.statistics.tokens:,}", "figure"),
                Column("Not answered well", _outcomes),
            )
            table("Requests of each version", columns, found, marked=lambda one: one.state == "promoted")


def _errors(one: VersionStatistics) -> str:
    found = one.statistics
    return f"{found.errors:,} ({percent(found.errors / found.requests)})" if found.requests else "0"


def _times(found: Percentiles) -> str:
    return " / ".join(milliseconds(one) for one in (found.p50, found.p95, found.p99)) if found.n else "–"


def _speed(found: Percentiles) -> str:
    return "–" if found.p50 is None else f"{found.p50:,.0f}"


def _outcomes(one: VersionStatistics) -> None:
    other = {name: count for name, count in one.statistics.outcomes.items() if name != OK}
    with box("div", "reasons-line"):
        for name, count in other.items():
            if name in known_reasons():
                reason_chip(name, count)
            else:
                Text("span", f"{name.replace('_', ' ')} {count:,}", "muted figure")
    if not other:
        Text("span", "–")
