"""The event stream: pages, the tree, one event, and live; and the reason codes."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from brewslm.api.work import asked
from brewslm.audit import Head
from brewslm.audit.filters import EventFilter
from brewslm.observe.chains import GapView, Verification, chain_head, verification, waiting
from brewslm.observe.events import PAGE, EventDetail, EventView, event, events
from brewslm.observe.following import Channels
from brewslm.observe.projects import project_view
from brewslm.observe.reasons import ReasonView, every_reason
from brewslm.observe.savedfilters import with_saved
from brewslm.observe.timeline import MOST_TREES, TREES, TimelinePage, timeline
from brewslm.reasons import Severity, Stage

router = APIRouter(prefix="/api", tags=["audit"])
channels = Channels()

Limit = Annotated[int, Query(ge=1, le=500)]
SavedName = Annotated[str | None, Query(alias="filter", description="A saved filter; what is asked besides goes before it.")]


def event_filter(
    project: int | None = None,
    run: str | None = None,
    stage: Stage | None = None,
    severity: Severity | None = None,
    code: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: Annotated[str | None, Query(description="Words of the code, actor, run ids and payload values.")] = None,
    saved: SavedName = None,
) -> EventFilter:
    """The filter of the query, on top of a saved one."""
    given = asked(
        EventFilter, project=project, run=run, stage=stage, severity=severity, code=code, actor=actor, since=since, until=until,
        text=text,
    )  # fmt: skip
    return with_saved(given, saved)


Wanted = Annotated[EventFilter, Depends(event_filter)]


@router.get("/projects/{project}/events", operation_id="event.list")
def listed(
    project: int,
    wanted: Wanted,
    request: Request,
    response: Response,
    after: int | None = None,
    before: int | None = None,
    limit: Limit = PAGE,
) -> list[EventView]:
    """A project's events, oldest first: the newest page, or the one after or before an event's id; `Link` leads to the next."""
    found = events(wanted=_of(wanted, project), after=after, before=before, limit=limit)
    if found:
        kept = [(name, value) for name, value in request.query_params.multi_items() if name not in ("after", "before", "limit")]
        older = urlencode([("before", found[0].id), ("limit", limit), *kept])
        newer = urlencode([("after", found[-1].id), ("limit", limit), *kept])
        response.headers["Link"] = f'<?{older}>; rel="prev", <?{newer}>; rel="next"'
    return found


@router.get("/projects/{project}/timeline", operation_id="event.timeline")
def tree(
    project: int,
    wanted: Wanted,
    after: int | None = None,
    before: int | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_TREES)] = TREES,
) -> TimelinePage:
    """The project's runs with their events and their parts, newest first; with `run` the tree that begins at this run."""
    return timeline(project, wanted=_of(wanted, project), after=after, before=before, limit=limit)


@router.get("/events/{event_id}", operation_id="event.show")
def shown(event_id: int) -> EventDetail:
    """One event: what it says, what it likely comes from, what to do, and where its run, log and rows are."""
    return event(event_id)


def known_project(project: int) -> int:
    """The project, asked for before a stream begins: after that no status can be sent."""
    return project_view(project).id


@router.get("/projects/{project}/events/gaps", operation_id="event.gaps")
def gaps(project: Annotated[int, Depends(known_project)]) -> list[GapView]:
    """Events that could not be written yet: they come back with the next one, at their true time."""
    return waiting(project)


@router.get("/projects/{project}/events/stream", operation_id="event.stream", response_class=EventSourceResponse)
async def stream(
    project: Annotated[int, Depends(known_project)],
    wanted: Wanted,
    last_event_id: Annotated[int | None, Header(alias="Last-Event-ID")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """A project's events as they are written; goes on after `Last-Event-ID`, or begins with the newest page."""
    async with channels.joined(project) as channel:
        async for each in channel.listen(_of(wanted, project), last_event_id):
            yield ServerSentEvent(data=each, id=str(each.id), event=each.reason_code)


def _of(wanted: EventFilter, project: int) -> EventFilter:
    """The project of the address, whatever a saved filter says."""
    return wanted.model_copy(update={"project": project})


@router.get("/audit/verify", operation_id="audit.verify")
def verify(project: int | None = None) -> Verification:
    """Recompute the hash chain of one project, or every chain."""
    return verification(project)


@router.post("/audit/verify", operation_id="audit.verify_against")
def verify_against(head: Head) -> Verification:
    """Recompute the chain that the head is of, and hold it against the head."""
    return verification(head.project, [head])


@router.get("/projects/{project}/head", operation_id="audit.head")
def head(project: int) -> Head:
    """The head of a project's chain, to be kept elsewhere and checked against later."""
    return chain_head(project)


@router.get("/reasons", operation_id="reason.list")
def reasons() -> list[ReasonView]:
    """Every reason code: those of runs by stage, then those of rows."""
    return every_reason()
