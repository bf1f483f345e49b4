"""The event stream, the audit explorer and the reason codes."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from brewslm.audit import Head
from brewslm.observe.chains import Verification, chain_head, verification
from brewslm.observe.events import PAGE, EventView, events
from brewslm.observe.explorer import CallView, calls
from brewslm.observe.projects import project_view
from brewslm.observe.reasons import ReasonView, every_reason
from brewslm.reasons import Severity, Stage

router = APIRouter(prefix="/api", tags=["audit"])

STREAM_POLL_SECONDS = 0.5
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/projects/{project}/events", operation_id="event.list")
def listed(
    project: int,
    response: Response,
    stage: Stage | None = None,
    severity: Severity | None = None,
    run: str | None = None,
    after: int | None = None,
    before: int | None = None,
    limit: Limit = PAGE,
) -> list[EventView]:
    """A project's events, oldest first: the newest page, or the one after or before an event's id; `Link` leads to the next."""
    found = events(project, stage=stage, severity=severity, run=run, after=after, before=before, limit=limit)
    if found:
        older, newer = f"?before={found[0].id}&limit={limit}", f"?after={found[-1].id}&limit={limit}"
        response.headers["Link"] = f'<{older}>; rel="prev", <{newer}>; rel="next"'
    return found


def known_project(project: int) -> int:
    """The project, asked for before a stream begins: after that no status can be sent."""
    return project_view(project).id


@router.get("/projects/{project}/events/stream", operation_id="event.stream", response_class=EventSourceResponse)
async def stream(
    project: Annotated[int, Depends(known_project)],
    last_event_id: Annotated[int | None, Header(alias="Last-Event-ID")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """A project's events as they are written; goes on after `Last-Event-ID`, or begins with the newest page."""
    seen = last_event_id
    while True:
        for event in await anyio.to_thread.run_sync(partial(events, project, after=seen)):
            seen = event.id
            yield ServerSentEvent(data=event, id=str(event.id), event=event.reason_code)
        await anyio.sleep(STREAM_POLL_SECONDS)


@router.get("/audit", operation_id="audit.calls")
def explorer(project: int | None = None, before: int | None = None, limit: Limit = PAGE) -> list[CallView]:
    """Who asked for what, newest first."""
    return calls(project, before=before, limit=limit)


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
