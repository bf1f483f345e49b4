"""The audit explorer: who asked for what, and whether it was accepted."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import select

from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import AuditEntry

PAGE = 50


class CallView(BaseModel):
    """One call of an operation.

    Attributes:
        outcome: "accepted", "resumed", or the code of the refusal.
    """

    id: int
    ts: datetime
    actor: str
    operation: str
    project: int | None
    run_id: str | None
    outcome: str


def calls(project: int | None = None, *, before: int | None = None, limit: int = PAGE) -> list[CallView]:
    """Calls, newest first; `before` is the id to page on from.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if project is not None:
        query = query.where(AuditEntry.project_id == project)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    with reading() as session:
        if project is not None:
            project_of(session, project)
        return [_view(entry) for entry in session.scalars(query)]


def _view(entry: AuditEntry) -> CallView:
    return CallView(
        id=entry.id,
        ts=entry.ts,
        actor=entry.actor,
        operation=entry.operation,
        project=entry.project_id,
        run_id=entry.run_id,
        outcome=entry.outcome,
    )
