"""The one way into the event stream."""

import logging
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from brewslm.audit.chain import GENESIS, canonical, link
from brewslm.reasons import Reason, is_event
from brewslm.store.database import transaction
from brewslm.store.tables import EmitGap, RunEvent

log = logging.getLogger(__name__)


def emit_event(
    reason: Reason,
    *,
    project_id: int | None,
    actor: str,
    run_id: str | None = None,
    parent_run_id: str | None = None,
    session: Session | None = None,
) -> None:
    """Append one event to a project's chain; never raises, so that observability cannot break a data write.

    Args:
        reason: What happened. A refusal is not an event and is left out.
        project_id: Whose chain; None for what belongs to no project.
        actor: Who caused it.
        run_id: The run that it tells of.
        parent_run_id: The run under which the timeline shows it.
        session: The transaction to join, inside a savepoint; a transaction of its own when left out.
    """
    if not is_event(reason):
        return
    arguments = (reason, project_id or 0, actor, run_id, parent_run_id)
    try:
        if session is None:
            with transaction() as own:
                _append(own, *arguments)
        else:
            with session.begin_nested():
                _append(session, *arguments)
    except Exception as error:  # noqa: BLE001 - the boundary that keeps the promise above
        _record_gap(reason, project_id or 0, error, session)


def _append(session: Session, reason: Reason, project_id: int, actor: str, run_id: str | None, parent_run_id: str | None) -> None:
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer; Postgres needs one a chain
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": project_id})
    newest = session.scalar(select(RunEvent).where(RunEvent.project_id == project_id).order_by(RunEvent.sequence.desc()).limit(1))
    event = RunEvent(
        project_id=project_id,
        sequence=newest.sequence + 1 if newest else 1,
        ts=datetime.now(UTC).isoformat(timespec="milliseconds"),
        stage=reason.stage,
        severity=reason.severity,
        reason_code=reason.code,
        run_id=run_id,
        parent_run_id=parent_run_id,
        actor=actor,
        payload=canonical(reason.payload()),
        previous_hash=newest.hash if newest else GENESIS,
    )
    event.hash = link(event)
    session.add(event)
    session.flush()


def _record_gap(reason: Reason, project_id: int, error: Exception, session: Session | None) -> None:
    """Count it, in the caller's transaction where there is one: that holds the database's one write lock."""
    log.error("event %s could not be written: %s", reason.code, type(error).__name__)
    ts = datetime.now(UTC).isoformat(timespec="milliseconds")
    gap = EmitGap(ts=ts, project_id=project_id, reason_code=reason.code, error=type(error).__name__)
    try:
        if session is None:
            with transaction() as own:
                own.add(gap)
        else:
            with session.begin_nested():
                session.add(gap)
    except Exception:
        log.exception("nor could the gap be counted")


def gaps(session: Session, project_id: int | None = None) -> int:
    """How many events could not be written."""
    query = select(func.count()).select_from(EmitGap)
    return session.scalar(query if project_id is None else query.where(EmitGap.project_id == project_id)) or 0
