"""The audit explorer: who asked for what, through which face, whether it was accepted, and how it ended."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from brewslm.audit.filters import CallFilter
from brewslm.pipeline import runs
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import AuditEntry, Run

PAGE = 50
LONGEST_PAGE = 500
MOST_VALUES = 50
"""Of one facet, the most frequent."""


class CallView(BaseModel):
    """One call of an operation.

    Attributes:
        face: cli, api, web, schedule, or python: code of one's own.
        request_id: Of the HTTP request or the command that it belonged to.
        outcome: "accepted", "resumed", or the code of the refusal.
        run_state: How its run stands now; None where there is no run.
        problem: The code with which the run failed.
    """

    id: int
    ts: datetime
    actor: str
    face: str
    request_id: str
    operation: str
    project: int | None
    run_id: str | None
    outcome: str
    run_state: str | None
    problem: str | None
    ended_at: datetime | None


class Facets(BaseModel):
    """How many calls have which value, each counted with every filter but its own; the most frequent first."""

    total: int
    operation: dict[str, int]
    actor: dict[str, int]
    face: dict[str, int]
    outcome: dict[str, int]
    run_state: dict[str, int]


def calls(
    project: int | None = None,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = PAGE,
    wanted: CallFilter | None = None,
) -> list[CallView]:
    """Calls, newest first.

    Args:
        before: The newest of those with a smaller id.
        after: The oldest of those with a greater id.
        limit: At most so many, and at most 500.
        wanted: The whole filter, in place of `project`.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    wanted = wanted or CallFilter(project=project)
    with reading() as session:
        if wanted.project is not None:
            project_of(session, wanted.project)
        found = page_of_calls(session, wanted, before=before, after=after, limit=min(limit, LONGEST_PAGE))
    return found if after is None else found[::-1]


def page_of_calls(
    session: Session, wanted: CallFilter, *, before: int | None = None, after: int | None = None, limit: int
) -> list[CallView]:
    """As `calls`, in the order of the way that is gone: with `after` the oldest first."""
    query = select(AuditEntry, Run).outerjoin(Run, Run.id == AuditEntry.run_id).where(*_conditions(wanted))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if after is not None:
        query = query.where(AuditEntry.id > after)
    order = AuditEntry.id.desc() if after is None else AuditEntry.id
    return [_view(entry, run) for entry, run in session.execute(query.order_by(order).limit(limit)).tuples()]


def facets(wanted: CallFilter | None = None) -> Facets:
    """What there is to choose from.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    wanted = wanted or CallFilter()
    with reading() as session:
        if wanted.project is not None:
            project_of(session, wanted.project)
        query = select(func.count()).select_from(AuditEntry).outerjoin(Run, Run.id == AuditEntry.run_id)
        total = session.scalar(query.where(*_conditions(wanted))) or 0
        table = AuditEntry
        return Facets(
            total=total,
            operation=_counted(session, table.operation, wanted, "operation"),
            actor=_counted(session, table.actor, wanted, "actor"),
            face=_counted(session, table.face, wanted, "face"),
            outcome=_counted(session, table.outcome, wanted, "outcome"),
            run_state=_counted(session, Run.state, wanted, "ended"),
        )


def _counted(session: Session, column: InstrumentedAttribute[str], wanted: CallFilter, own: str) -> dict[str, int]:
    others = wanted.model_copy(update={own: None})
    count = func.count()
    query = select(column, count).select_from(AuditEntry).outerjoin(Run, Run.id == AuditEntry.run_id)
    query = query.where(column.is_not(None), *_conditions(others)).group_by(column)
    return dict(session.execute(query.order_by(count.desc(), column).limit(MOST_VALUES)).tuples().all())


def _conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    table = AuditEntry
    exact = {
        table.project_id: wanted.project, table.operation: wanted.operation, table.actor: wanted.actor, table.face: wanted.face,
        table.outcome: wanted.outcome, table.run_id: wanted.run, table.request_id: wanted.request_id, Run.state: wanted.ended,
    }  # fmt: skip
    found: list[ColumnElement[bool]] = [column == value for column, value in exact.items() if value is not None]
    if wanted.since is not None:
        found.append(table.ts >= wanted.since)
    if wanted.until is not None:
        found.append(table.ts < wanted.until)
    said = (table.actor, table.operation, table.run_id, table.request_id, table.outcome)
    parts = [or_(*(column.icontains(part, autoescape=True) for column in said)) for part in (wanted.text or "").split()]
    return [*found, and_(*parts)] if parts else found


def _view(entry: AuditEntry, run: Run | None) -> CallView:
    return CallView(
        id=entry.id,
        ts=entry.ts,
        actor=entry.actor,
        face=entry.face,
        request_id=entry.request_id,
        operation=entry.operation,
        project=entry.project_id,
        run_id=entry.run_id,
        outcome=entry.outcome,
        run_state=runs.view(run).state if run else None,
        problem=(run.problem or {}).get("code") if run else None,
        ended_at=run.ended_at if run else None,
    )
