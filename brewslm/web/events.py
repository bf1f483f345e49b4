"""/ui/projects/{id}/events: the timeline of Observability. Every view of it has an address."""

from dataclasses import dataclass
from functools import partial

import anyio
from fastapi import Request
from nicegui import ui

from brewslm.audit.filters import EventFilter
from brewslm.observe.chains import GapView, waiting
from brewslm.observe.events import PAGE, events
from brewslm.observe.figures import counted
from brewslm.observe.following import newest_of
from brewslm.observe.savedfilters import SavedFilterView, saved_filters
from brewslm.observe.timeline import TimelinePage, timeline
from brewslm.reasons import Severity, Stage
from brewslm.web.filter_hints import nothing_fits
from brewslm.web.filters import FilterField, filter_form
from brewslm.web.observability import observability
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import empty, known_reasons, pager
from brewslm.web.query import Cursor, address, fields_of, heard
from brewslm.web.running import POLL_SECONDS
from brewslm.web.saved_filters import SavedFilters
from brewslm.web.timeline_tree import Trees
from brewslm.web.words import Sign

TREES = 10
GAPS_SHOWN = 10


class Asked(EventFilter):
    """A filter and a cursor.

    Attributes:
        before, after: The trees just older, or just newer, than this one.
    """

    before: Cursor | None = None
    after: Cursor | None = None

    @property
    def wanted(self) -> EventFilter:
        """The filter alone."""
        return EventFilter(**{name: getattr(self, name) for name in EventFilter.model_fields})

    def address(self, project: int, **changes: object) -> str:
        """The address of another view: these filters with the changes, and no cursor but one that is named."""
        return address(f"/projects/{project}/events", fields_of(self.wanted, project=None, **changes))


@dataclass(frozen=True)
class Seen:
    """What the page shows, read at one moment.

    Attributes:
        newest: The id of the project's newest event.
        gaps: Events that could not be written yet.
        hints: Why nothing fits, at the field that it lies in.
    """

    page: TimelinePage
    newest: int
    gaps: list[GapView]
    saved: list[SavedFilterView]
    hints: dict[str, str]


def see(project: int, wanted: Asked) -> Seen:
    """Read it.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    newest = newest_of(project)
    page = timeline(project, wanted=wanted.wanted, after=wanted.after, before=wanted.before, limit=TREES)
    saved = [one for one in saved_filters() if one.of == "events"]
    return Seen(page, newest, waiting(project), saved, {} if page.trees else hints_of(project, wanted.wanted))


def hints_of(project: int, wanted: EventFilter) -> dict[str, str]:
    """Why no event of the project fits."""
    return nothing_fits(wanted.model_copy(update={"project": project}), lambda one: events(wanted=one, limit=1))


async def page(project: str, request: Request) -> None:
    """The timeline."""
    here = await opened(project)
    found = here.project
    asked = heard(Asked, request.query_params)
    wanted = asked.value
    seen = await anyio.to_thread.run_sync(see, found.id, wanted)
    with observability(here, "Timeline"):
        held = fields_of(wanted.wanted, project=None)
        filter_form(event_fields(), held, partial(address, f"/projects/{found.id}/events"), asked.hinting(seen.hints))
        SavedFilters("events", held, seen.saved, partial(address, f"/projects/{found.id}/events"))
        if wanted.before is None and wanted.after is None:
            _news(wanted, found.id, seen.newest)
        _gaps(seen.gaps)
        with box("section", "card", aria_label="Timeline"):
            if not seen.page.trees:
                _nothing(found.id, bool(held))
            trees = Trees(found.id, seen.page.trees, alone=wanted.run is not None)
            _pages(wanted, found.id, seen.page)
    ui.timer(POLL_SECONDS, trees.look)


def event_fields() -> list[FilterField]:
    """What events are filtered by."""
    codes = sorted(code for code, one in known_reasons().items() if one.is_event)
    return [
        FilterField("text", "Search", "search", hint="words of the code, actor, runs, payload"),
        FilterField("stage", "Stage", "select", tuple(Stage)),
        FilterField("severity", "Severity", "select", tuple(Severity)),
        FilterField("code", "Reason code", options=codes, more=True),
        FilterField("run", "Run, with its parts", more=True, hint="exp-1"),
        FilterField("actor", "Actor", more=True, hint="cli:ana"),
        FilterField("since", "From (UTC)", "datetime-local", more=True),
        FilterField("until", "Before (UTC)", "datetime-local", more=True),
    ]


def _nothing(project: int, filtered: bool) -> None:
    if filtered:
        empty("No event fits.", "Show everything", f"/projects/{project}/events")
    else:
        empty("Nothing has happened yet: the first import writes the first event.", "Import rows", f"/projects/{project}/data")


def _pages(wanted: Asked, project: int, shown: TimelinePage) -> None:
    entries = []
    if wanted.before is not None or wanted.after is not None:
        entries.append(("Newest", wanted.address(project)))
    if shown.newer is not None:
        entries.append(("Newer", wanted.address(project, after=shown.newer)))
    if shown.older is not None:
        entries.append(("Older", wanted.address(project, before=shown.older)))
    if entries:
        pager(counted(len(shown.trees), "tree of runs", "trees of runs"), entries)


def _gaps(gaps: list[GapView]) -> None:
    """The stream shows a gap rather than hiding one."""
    if not gaps:
        return
    with box("section", "card", aria_label="Gaps"):
        with box("p", "note"):
            Badge(Sign("failed", f"{counted(len(gaps), 'event')} could not be written yet"))
            Text("span", "They come back with the next event, at their true time.", "muted")
        for gap in gaps[:GAPS_SHOWN]:
            Text("p", f"{gap.ts}  {gap.lost_code}  {gap.run_id or ''}  by {gap.actor}: {gap.error}", "mono")


def _news(wanted: Asked, project: int, newest: int) -> None:
    """On the newest page: say when there are newer events; the list itself does not move under the reader's eyes."""
    read = partial(events, wanted=wanted.wanted.model_copy(update={"project": project}), after=newest, limit=PAGE)
    with box("p", "news", role="status") as said:
        made = link("", wanted.address(project))
    said.set_visibility(False)

    async def look() -> None:
        new = len(await anyio.to_thread.run_sync(read))
        if new:
            made.text = f"{new}{'+' if new == PAGE else ''} new: show {'it' if new == 1 else 'them'}"
            said.set_visibility(True)

    ui.timer(POLL_SECONDS, look)
