"""The timeline: a project's events, typed, page by page."""

from typing import Any

import orjson
from pydantic import BaseModel
from sqlalchemy import select

from brewslm.reasons import REGISTRY, Severity, Stage
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import RunEvent

PAGE = 50
LONGEST_PAGE = 500


class EventView(BaseModel):
    """An event as every face shows it.

    Attributes:
        id: Its cursor: ids grow.
        sequence: Its place in its project's chain, from 1.
        meaning: What its reason code says; "" when this version does not know the code.
        parent_run_id: The run under which it is shown.
    """

    id: int
    project: int
    sequence: int
    ts: str
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


def events(
    project: int | None = None,
    *,
    stage: Stage | None = None,
    severity: Severity | None = None,
    run: str | None = None,
    after: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[EventView]:
    """Events, oldest first.

    Args:
        project: Of this project (0: of none); every project's when left out.
        run: Those of this run, and those shown under it.
        after: The oldest of those with a greater id: the page that follows, and what a live timeline asks for.
        before: Those with a smaller id. Without `after`, the newest that fit are returned.
        limit: At most so many, and at most 500.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    query = select(RunEvent)
    if project is not None:
        query = query.where(RunEvent.project_id == project)
    if stage is not None:
        query = query.where(RunEvent.stage == stage)
    if severity is not None:
        query = query.where(RunEvent.severity == severity)
    if run is not None:
        query = query.where((RunEvent.run_id == run) | (RunEvent.parent_run_id == run))
    if before is not None:
        query = query.where(RunEvent.id < before)
    if after is not None:
        query = query.where(RunEvent.id > after)
    order = RunEvent.id.desc() if after is None else RunEvent.id
    with reading() as session:
        if project:
            project_of(session, project)
        found = [event_view(event) for event in session.scalars(query.order_by(order).limit(min(limit, LONGEST_PAGE)))]
    return found if after is not None else found[::-1]


def event_view(event: RunEvent) -> EventView:
    """The row as a view."""
    reason = REGISTRY.get(event.reason_code)
    return EventView(
        id=event.id,
        project=event.project_id,
        sequence=event.sequence,
        ts=event.ts,
        stage=event.stage,
        severity=event.severity,
        reason_code=event.reason_code,
        meaning=reason.meaning() if reason else "",
        remedy=reason.remedy if reason else "",
        run_id=event.run_id,
        parent_run_id=event.parent_run_id,
        actor=event.actor,
        payload=orjson.loads(event.payload),
        hash=event.hash,
    )
