"""What the four pages of Observability have in common: their head, and how runs are signed and timed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from brewslm.observe.projects import ProjectView
from brewslm.web.layout import Crumb, frame
from brewslm.web.pieces import tabs, title_row
from brewslm.web.words import Sign

NAME = "Observability"
TABS = {
    "Timeline": ("events", "What happened: each run with its events, and what ran as its part; newest first."),
    "Failure clusters": ("failures", "Failures that are one fault, told together: how often, since when, and what mended it."),
    "Audit explorer": ("explorer", "Who asked for what, and every event: found, held against its chain, taken along as a file."),
    "Support bundle": ("support", "What a helper needs to see, redacted, in one file; no row's text, no weights, no secrets."),
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


@contextmanager
def observability(
    known: Sequence[ProjectView], project: ProjectView, tab: str, title: str = "", line: str = "", inner: str = ""
) -> Iterator[None]:
    """One of the pages around the block.

    Args:
        title, line: Of a page below the tab: what stands in place of the tab's own.
        inner: That page's last crumb.
    """
    base = f"/projects/{project.id}"
    path, said = TABS[tab]
    crumbs: list[Crumb] = [("Projects", "/"), (project.name, base), (NAME, f"{base}/events")]
    crumbs += [(tab, f"{base}/{path}"), (inner, "")] if inner else [(tab, "")]
    with frame(known, crumbs, project):
        with title_row(title or NAME, line or said):
            pass
        tabs(NAME, [(name, f"{base}/{page}") for name, (page, _) in TABS.items()], tab)
        yield


def lasted(seconds: float) -> str:
    """ "0.4 s", "12 s", "4 min 9 s", "3 h 5 min", "2 d 4 h"."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for size, unit, below, under in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {under}" if rest else "")
    return f"{whole} s"


def seconds_between(begins: datetime, ends: datetime | None) -> float:
    """Until the end; until now, where there is none."""
    return ((ends or datetime.now(UTC)) - begins).total_seconds()
