"""/ui/projects/{id}/explorer: who asked for what, and every event: searched, counted, held against the chain, taken along."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import anyio
from fastapi import Request

from brewslm.audit.filters import CallFilter, EventFilter
from brewslm.observe.event_facets import EventFacets, event_facets
from brewslm.observe.events import PAGE, EventView, events
from brewslm.observe.explorer import CallView, Facets, calls, facets
from brewslm.observe.savedfilters import SavedFilterView, saved_filters
from brewslm.web.chain_card import Chain
from brewslm.web.events import event_fields, hints_of
from brewslm.web.export_menu import export_menu
from brewslm.web.facets import facet_lists
from brewslm.web.filter_hints import nothing_fits
from brewslm.web.filters import FilterField, filter_form
from brewslm.web.found_table import calls_table, events_table
from brewslm.web.observability import observability
from brewslm.web.opening import opened
from brewslm.web.parts import box
from brewslm.web.pieces import chips, empty, pager
from brewslm.web.query import Cursor, Heard, address, fields_of, heard
from brewslm.web.saved_filters import SavedFilters

FACES = ("cli", "api", "web", "schedule", "python")
CALL_FIELDS = (
    FilterField("text", "Search", "search", hint="actor, operation, run, request, outcome"),
    FilterField("request_id", "Request id"),
    FilterField("run", "Run", hint="exp-1"),
    FilterField("face", "Face", "select", FACES, more=True),
    FilterField("operation", "Operation", more=True, hint="train.run"),
    FilterField("actor", "Actor", more=True, hint="cli:ana"),
    FilterField("outcome", "Outcome", more=True, hint="accepted"),
    FilterField(
        "ended", "How it ended", "select", ("queued", "running", "paused", "succeeded", "failed", "cancelled"), more=True
    ),
    FilterField("since", "From (UTC)", "datetime-local", more=True),
    FilterField("until", "Before (UTC)", "datetime-local", more=True),
)
WHAT = {"calls": "Who asked", "events": "What happened"}


class AskedCalls(CallFilter):
    """A filter of calls and a cursor."""

    of: Literal["calls", "events"] = "calls"
    before: Cursor | None = None
    after: Cursor | None = None


class AskedEvents(EventFilter):
    """A filter of events and a cursor."""

    of: Literal["events"]
    before: Cursor | None = None
    after: Cursor | None = None


Asked = AskedCalls | AskedEvents


@dataclass(frozen=True)
class Seen:
    """What the page shows; of calls or events one more than a page, where there are more."""

    found: list[CallView] | list[EventView]
    counts: Facets | EventFacets
    saved: list[SavedFilterView]
    hints: dict[str, str]

    @property
    def total(self) -> int | None:
        """How many calls fit; events are not counted, for there may be millions."""
        return self.counts.total if isinstance(self.counts, Facets) else None


def asked_for(query: Mapping[str, str]) -> Heard[AskedEvents] | Heard[AskedCalls]:
    """The query of the address: of calls, unless events are asked for."""
    return heard(AskedEvents, query) if query.get("of") == "events" else heard(AskedCalls, query)


def wanted_by(query: Asked, project: int) -> CallFilter | EventFilter:
    """The filter alone, of this project."""
    kind = EventFilter if isinstance(query, AskedEvents) else CallFilter
    return kind(**{name: getattr(query, name) for name in kind.model_fields} | {"project": project})


def see(project: int, query: Asked) -> Seen:
    """Read it.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    wanted = wanted_by(query, project)
    saved = [one for one in saved_filters() if one.of == query.of]
    if isinstance(wanted, CallFilter):
        found = calls(wanted=wanted, before=query.before, after=query.after, limit=PAGE + 1)
        hints = {} if found else nothing_fits(wanted, lambda one: calls(wanted=one, limit=1))
        return Seen(found, facets(wanted), saved, hints)
    told = events(wanted=wanted, before=query.before, after=query.after, limit=PAGE + 1)
    return Seen(told[::-1], event_facets(wanted), saved, {} if told else hints_of(project, wanted))


async def page(project: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    asked = asked_for(request.query_params)
    query = asked.value
    seen = await anyio.to_thread.run_sync(see, found.id, query)
    path = f"/projects/{found.id}/explorer"
    wanted = wanted_by(query, found.id)
    held = fields_of(wanted, project=None)
    target = partial(_address, path, query.of)
    with observability(here, "Audit explorer"):
        with box("div", "explorer-head"):
            chips("Explored", [(said, _address(path, of, {}), None) for of, said in WHAT.items()], WHAT[query.of])
            chain = Chain(found.id)
            export_menu(query.of, fields_of(wanted), seen.total)
        chain.panel()
        fields = CALL_FIELDS if query.of == "calls" else event_fields()
        filter_form(fields, held, target, asked.hinting(seen.hints), {"of": query.of} if query.of == "events" else {})
        SavedFilters(query.of, held, seen.saved, target)
        with box("div", "explorer"):
            facet_lists(seen.counts, held, target)
            _found(query, found.id, seen, held, target)


def _address(path: str, of: str, fields: Mapping[str, str]) -> str:
    return address(path, {"of": of, **fields} if of == "events" else fields)


def _found(query: Asked, project: int, seen: Seen, held: dict[str, str], here: Callable[[Mapping[str, str]], str]) -> None:
    """One page, newest first; it was asked for one too many, to know whether there is a page beyond."""
    upward, beyond = query.after is not None, len(seen.found) > PAGE
    start = len(seen.found) - PAGE if beyond and upward else 0
    shown = seen.found[start : start + PAGE]
    with box("section", "card", aria_label=WHAT[query.of]):
        if not shown:
            _nothing(query, project, bool(held), here)
            return
        if isinstance(query, AskedCalls):
            calls_table(project, [one for one in shown if isinstance(one, CallView)], here, held)
        else:
            events_table(project, [one for one in shown if isinstance(one, EventView)])
        entries = []
        if query.before is not None or upward:
            entries.append(("Newest", here(held)))
        if beyond if upward else query.before is not None:
            entries.append(("Newer", here(held | {"after": str(shown[0].id)})))
        if upward or beyond:
            entries.append(("Older", here(held | {"before": str(shown[-1].id)})))
        total = f" of {seen.total:,}" if seen.total is not None else ""
        pager(f"{len(shown):,}{total} {query.of}", entries)


def _nothing(query: Asked, project: int, filtered: bool, here: Callable[[Mapping[str, str]], str]) -> None:
    if filtered:
        empty("No call fits." if query.of == "calls" else "No event fits.", "Show everything", here({}))
    else:
        empty("Nobody has asked for anything in this project yet.", "Import rows", f"/projects/{project}/data")
