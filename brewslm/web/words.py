"""How figures, times and states are said."""

from datetime import UTC, datetime
from typing import NamedTuple


class Sign(NamedTuple):
    """A state as a page shows it: its token, which is also its icon, and its word."""

    token: str
    word: str


STAGE_SIGNS = {
    "not_begun": Sign("idle", "not begun"),
    "running": Sign("running", "running"),
    "done": Sign("done", "done"),
    "needs_you": Sign("needs", "needs you"),
    "failed": Sign("failed", "failed"),
}
SEVERITY_SIGNS = {
    "info": Sign("info", "info"),
    "warning": Sign("needs", "warning"),
    "error": Sign("failed", "error"),
    "critical": Sign("failed", "critical"),
}

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (float("inf"), 86400, "d"))


def ago(moment: datetime, now: datetime | None = None) -> str:
    """ "just now", "4 min ago", "3 d ago"; brewslm.js says the same as time goes by."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < 5:
        return "just now"
    size, unit = next((size, unit) for limit, size, unit in _STEPS if seconds < limit)
    return f"{int(seconds // size)} {unit} ago"


def absolute(moment: datetime) -> str:
    """ "2026-11-22 19:16:16 UTC"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def percent(share: float) -> str:
    """ "90.2 %"."""
    return f"{share * 100:.1f} %"


def with_interval(value: float, low: float, high: float) -> str:
    """ "90.2 % ± 2.9": half the interval's width. The interval itself, which need not be even, stands in the table."""
    return f"{percent(value)} ± {(high - low) * 50:.1f}"


def plain(name: str) -> str:
    """An id as words: "tf_idf" → "tf idf"."""
    return name.replace("_", " ")
