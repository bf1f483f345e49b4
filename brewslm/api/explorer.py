"""The audit explorer: who asked for what; its facets, filters that are kept, and exports of calls and events."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from brewslm.api.events import Limit, SavedName, Wanted
from brewslm.api.work import ACTOR, Fields, Key, asked
from brewslm.audit.filters import CallFilter, Face
from brewslm.observe.audit_export import MEDIA_TYPES, Format, exported
from brewslm.observe.event_facets import EventFacets, event_facets
from brewslm.observe.explorer import PAGE, CallView, Facets, calls, facets
from brewslm.observe.savedfilters import SavedFilterView, saved_filter, saved_filters, with_saved
from brewslm.pipeline import execute
from brewslm.stages.saved_filters import DeleteRequest, Of, SaveRequest

router = APIRouter(prefix="/api/audit", tags=["audit"])


class FilterFields(Fields):
    """See filter.save."""

    of: Of
    filter: dict[str, Any]


def call_filter(
    project: int | None = None,
    operation: str | None = None,
    actor: str | None = None,
    face: Face | None = None,
    outcome: str | None = None,
    ended: Annotated[str | None, Query(description="How its run ended: succeeded, failed, cancelled, …")] = None,
    run: str | None = None,
    request_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: str | None = None,
    saved: SavedName = None,
) -> CallFilter:
    """The filter of the query, on top of a saved one."""
    given = asked(
        CallFilter, project=project, operation=operation, actor=actor, face=face, outcome=outcome, ended=ended, run=run,
        request_id=request_id, since=since, until=until, text=text,
    )  # fmt: skip
    return with_saved(given, saved)


Called = Annotated[CallFilter, Depends(call_filter)]
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: {} for media in MEDIA_TYPES.values()}, "description": "The file, oldest first"}
}


@router.get("", operation_id="audit.calls")
def explorer(wanted: Called, before: int | None = None, after: int | None = None, limit: Limit = PAGE) -> list[CallView]:
    """Who asked for what, through which face, whether it was accepted, and how it ended; newest first."""
    return calls(wanted=wanted, before=before, after=after, limit=limit)


@router.get("/facets", operation_id="audit.facets")
def counted(wanted: Called) -> Facets:
    """How many of these calls have which operation, actor, face, outcome and end."""
    return facets(wanted)


@router.get("/facets/events", operation_id="audit.event_facets")
def counted_events(wanted: Wanted) -> EventFacets:
    """How many of the newest of these events have which stage, severity, code and actor."""
    return event_facets(wanted)


@router.get("/export/calls", operation_id="audit.export_calls", response_class=StreamingResponse, responses=FILE)
def export_calls(wanted: Called, format: Format = "jsonl") -> StreamingResponse:
    """Calls as a file."""
    return _file(wanted, format, "calls")


@router.get("/export/events", operation_id="audit.export_events", response_class=StreamingResponse, responses=FILE)
def export_events(wanted: Wanted, format: Format = "jsonl") -> StreamingResponse:
    """Events as a file: whole, with their hashes."""
    return _file(wanted, format, "events")


def _file(wanted: Any, format: Format, name: str) -> StreamingResponse:
    ending = "json" if format == "cloudevents" else format
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    return StreamingResponse(exported(wanted, format), media_type=MEDIA_TYPES[format], headers=headers)


@router.get("/filters", operation_id="filter.list")
def kept() -> list[SavedFilterView]:
    """The filters that were kept."""
    return saved_filters()


@router.put("/filters/{name}", operation_id="filter.save")
def save(name: str, fields: FilterFields, key: Key = None) -> SavedFilterView:
    """Keep a filter under a name, in place of the former one."""
    execute.call(ACTOR, asked(SaveRequest, name=name, **dict(fields)), idempotency_key=key)
    return saved_filter(name)


@router.delete("/filters/{name}", operation_id="filter.delete")
def delete(name: str, key: Key = None) -> list[SavedFilterView]:
    """Forget a filter; those that are left."""
    execute.call(ACTOR, DeleteRequest(name=name), idempotency_key=key)
    return saved_filters()
