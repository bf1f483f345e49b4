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
RUN_SIGNS = {
    "queued": Sign("idle", "queued"),
    "running": Sign("running", "running"),
    "interrupted": Sign("needs", "interrupted"),
    "paused": Sign("needs", "paused"),
    "succeeded": Sign("done", "succeeded"),
    "failed": Sign("failed", "failed"),
    "cancelled": Sign("idle", "cancelled"),
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


def duration(seconds: float) -> str:
    """ "0.4 s", "12 s", "2 min 4 s", "1 h 5 min"."""
    if round(seconds) < 60:
        return f"{seconds:.1f} s" if round(seconds, 1) < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not rest and minutes < 60:
        return f"{minutes} min"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def memory_size(count: float) -> str:
    """Of bytes: "105 MB", "4.3 GB", in units of 1,024, as memory is sold."""
    for limit, unit in ((2**10, "B"), (2**20, "kB"), (2**30, "MB")):
        if count < limit:
            return f"{count / (limit / 2**10):,.0f} {unit}"
    return f"{count / 2**30:,.1f} GB"


def file_size(size: int) -> str:
    """ "105 MB", "2,891 B": in units of 1,000."""
    for least, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= least:
            return f"{size / least:,.1f} {unit}" if size < 10 * least else f"{size / least:,.0f} {unit}"
    return f"{size:,} B"


def milliseconds(seconds: float | None) -> str:
    """ "135 ms", "2.1 s"; "–" where nothing was measured."""
    if seconds is None:
        return "–"
    return f"{seconds:,.1f} s" if seconds >= 10 else f"{seconds:,.2f} s" if seconds >= 1 else f"{1000 * seconds:,.0f} ms"
