"""The audit explorer's entry: one for each call that would change something, whether it was accepted or refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.asking import Asking, asked_by
from brewslm.errors import StageError
from brewslm.store.database import transaction
from brewslm.store.tables import AuditEntry, Run


def enter(
    session: Session, actor: str, operation: str, outcome: str, *, project: int | None, run: str | None, parent: str | None = None
) -> None:
    """Write it, in the transaction of what was asked for.

    Args:
        outcome: "accepted", "resumed", or the code of the refusal.
        parent: The run that this is a part of: a part came by the way that its whole came, whoever performs it.
    """
    now = _of_parent(session, parent) or asked_by(actor)
    session.add(
        AuditEntry(
            actor=actor, face=now.face, request_id=now.request_id, operation=operation, project_id=project, run_id=run,
            outcome=outcome,
        )
    )  # fmt: skip


@contextmanager
def changing(actor: str, operation: str, run_id: str) -> Iterator[Session]:
    """A transaction in which somebody changes a run. A refusal is entered too, after it was rolled back."""
    try:
        with transaction() as session:
            yield session
    except StageError as error:
        with transaction() as session:
            run = session.get(Run, run_id)
            project, known = (run.project_id, run.id) if run else (None, None)
            enter(session, actor, operation, error.reason.code, project=project, run=known)
        raise


def _of_parent(session: Session, parent: str | None) -> Asking | None:
    if parent is None:
        return None
    found = session.scalars(select(AuditEntry).where(AuditEntry.run_id == parent).order_by(AuditEntry.id.desc())).first()
    return Asking(found.face, found.request_id) if found else None
