"""Events as every face shows them: page by page, by any filter; and one of them with all that it leads to."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.audit.filters import EventFilter
from brewslm.errors import StageError
from brewslm.observe.event_index import find, payload_of
from brewslm.observe.leads import Lead, leads
from brewslm.reasons import REGISTRY, Severity, Stage
from brewslm.reasons.refusals import UnknownEvent
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import Run, RunEvent

PAGE = 50
LONGEST_PAGE = 500


class EventView(BaseModel):
    """An event as every face shows it.

    Attributes:
        id: Its cursor: ids grow.
        sequence: Its place in its project's chain, from 1.
        meaning: What its reason code says; "" when this version does not know the code.
        parent_run_id: The run under which it is shown.
        written_at: When it was written, where that was not at once: it came late.
    """

    id: int
    project: int
    sequence: int
    ts: str
    written_at: str | None = None
    stage: str
    severity: str
    reason_code: str
    meaning: str
    remedy: str
    run_id: str | None
    parent_run_id: str | None
    actor: str
    payload: dict[str, Any]
    hash: str


class EventDetail(EventView):
    """An event with all that it leads to.

    Attributes:
        causes: What it likely comes from, the likeliest first.
        previous_hash: The link to the event before it in its chain.
        before, after: The ids of its neighbours in its chain; None at an end.
        problem: Why its run failed, as a problem document; None when it did not.
        leads: Where to look next.
    """

    causes: list[str]
    previous_hash: str
    before: int | None
    after: int | None
    problem: dict[str, Any] | None
    leads: list[Lead]


def events(
    project: int | None = None,
    *,
    stage: Stage | None = None,
    severity: Severity | None = None,
    run: str | None = None,
    after: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
    wanted: EventFilter | None = None,
) -> list[EventView]:
    """Events, oldest first.

    Args:
        project: Of this project (0: of none); every project's when left out.
        run: Those of this run, and those shown under it.
        after: The oldest of those with a greater id: the page that follows.
        before: Those with a smaller id. Without `after`, the newest that fit are returned.
        limit: At most so many, and at most 500.
        wanted: The whole filter, in place of project, stage, severity and run.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    wanted = wanted or EventFilter(project=project, stage=stage, severity=severity, run=run)
    with reading() as session:
        if wanted.project:
            project_of(session, wanted.project)
        found = find(session, wanted, after=after, before=before, limit=min(limit, LONGEST_PAGE))
        shown = [event_view(event) for event in found]
    return shown if after is not None else shown[::-1]


def event(event_id: int) -> EventDetail:
    """One event: what it says, what it likely comes from, what to do, and where its run, log and rows are.

    Raises:
        StageError(UnknownEvent): There is none of this id.
    """
    with reading() as session:
        found = session.get(RunEvent, event_id)
        if found is None:
            raise StageError(UnknownEvent(), where=f"event {event_id}")
        return _detail(session, found)


def _detail(session: Session, found: RunEvent) -> EventDetail:
    view, reason = event_view(found), REGISTRY.get(found.reason_code)
    run = session.get(Run, found.run_id) if found.run_id else None
    return EventDetail(
        **dict(view),
        causes=list(reason.causes) if reason else [],
        previous_hash=found.previous_hash,
        before=_neighbour(session, found, -1),
        after=_neighbour(session, found, 1),
        problem=run.problem if run else None,
        leads=leads(session, view.project, found.run_id, found.parent_run_id, view.payload),
    )


def _neighbour(session: Session, event: RunEvent, step: int) -> int | None:
    where = (RunEvent.project_id == event.project_id, RunEvent.sequence == event.sequence + step)
    return session.scalar(select(RunEvent.id).where(*where))


def event_view(event: RunEvent) -> EventView:
    """The row as a view."""
    reason = REGISTRY.get(event.reason_code)
    return EventView(
        id=event.id,
        project=event.project_id,
        sequence=event.sequence,
        ts=event.ts,
        written_at=event.written_at,
        stage=event.stage,
        severity=event.severity,
        reason_code=event.reason_code,
        meaning=reason.meaning() if reason else "",
        remedy=reason.remedy if reason else "",
        run_id=event.run_id,
        parent_run_id=event.parent_run_id,
        actor=event.actor,
        payload=payload_of(event),
        hash=event.hash,
    )
