"""What the four pages of Observability have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from brewslm.web.layout import Crumb
from brewslm.web.opening import Here
from brewslm.web.pieces import tabs, title_row

NAME = "Observability"
TABS = {
    "Timeline": ("events", "What happened: each run with its events, and what ran as its part; newest first."),
    "Failure clusters": ("failures", "Failures that are one fault, told together: how often, since when, and what mended it."),
    "Audit explorer": ("explorer", "Who asked for what, and every event: found, held against its chain, taken along as a file."),
    "Support bundle": ("support", "What a helper needs to see, redacted, in one file; no row's text, no weights, no secrets."),
}


@contextmanager
def observability(here: Here, tab: str, title: str = "", line: str = "", inner: str = "") -> Iterator[None]:
    """One of the pages around the block.

    Args:
        title, line: Of a page below the tab: what stands in place of the tab's own.
        inner: That page's last crumb.
    """
    base = f"/projects/{here.project.id}"
    path, said = TABS[tab]
    above: list[Crumb] = [(NAME, f"{base}/events"), *([(tab, f"{base}/{path}")] if inner else [])]
    with here.frame(inner or tab, *above):
        with title_row(title or NAME, line or said):
            pass
        tabs(NAME, [(name, f"{base}/{page}") for name, (page, _) in TABS.items()], tab)
        yield


def seconds_between(begins: datetime, ends: datetime | None) -> float:
    """Until the end; until now, where there is none."""
    return ((ends or datetime.now(UTC)) - begins).total_seconds()
