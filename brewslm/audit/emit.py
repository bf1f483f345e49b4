"""The one way into the event stream."""

import logging

from sqlalchemy import event, func, insert, select
from sqlalchemy.orm import Session

from brewslm.audit import heads, lost
from brewslm.audit.append import LOCK_SECONDS, Chains, Draft, Link, moment
from brewslm.audit.committer import COMMITTER, WRITE_SECONDS, NotWritten
from brewslm.reasons import Reason, is_event
from brewslm.store.database import brief_transaction
from brewslm.store.tables import EmitGap

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

    Without a session it returns when the event is on the disk, or after `committer.EMIT_SECONDS` at the latest. An event that
    can't be written is spilled (see lost.py) and comes back later.

    Args:
        reason: What happened. A refusal is not an event and is left out.
        project_id: Whose chain; None for what belongs to no project.
        actor: Who caused it.
        run_id: The run that it tells of.
        parent_run_id: The run under which the timeline shows it.
        session: The transaction to join, inside a savepoint: the event is written with it or not at all.
    """
    if not is_event(reason):
        return
    try:
        draft = Draft.of(reason, project_id=project_id or 0, actor=actor, run_id=run_id, parent_run_id=parent_run_id)
    except Exception as error:  # noqa: BLE001 - as below: a payload that can't be told
        _lose(reason.code, project_id or 0, error, session)
        return
    try:
        if session is None:
            COMMITTER.write(draft)
        else:
            _join(session, draft)
    except Exception as error:  # the boundary that keeps the promise above
        if session is None:
            lost.keep(draft, type(error).__name__, error.link if isinstance(error, NotWritten) else None)
        else:  # the transaction is dead: what it was to tell of has not happened
            log.exception("event %s could not join its transaction", draft.reason_code)


def _join(session: Session, draft: Draft) -> None:
    """In the caller's transaction. What fails there is spilled once that commits: if it rolls back, nothing has happened."""
    connection = session.connection()
    joined = session.info.get("joined") or _Joined(session)
    try:
        with connection.begin_nested():
            chains = Chains.of(connection)
            database = chains.identity()
            (link,) = chains.append([draft])
    except Exception as error:  # noqa: BLE001 - the boundary that keeps emit_event's promise
        raw = connection.connection.driver_connection
        if connection.dialect.name == "sqlite" and raw is not None and not raw.in_transaction:
            connection.invalidate()  # SQLite took everything back (its disk failed): the caller's commit must say so
            return
        joined.lost.append((draft, type(error).__name__))
    else:
        joined.database, joined.heads[draft.project_id] = database, link


class _Joined:
    """The events of one transaction of a caller, and what is to be done with them once it is committed."""

    def __init__(self, session: Session) -> None:
        self.database = ""
        self.heads: dict[int, Link] = {}
        self.lost: list[tuple[Draft, str]] = []
        session.info["joined"] = self
        event.listen(session, "after_commit", self._committed)
        event.listen(session, "after_rollback", self._rolled_back)

    def _committed(self, session: Session) -> None:
        if session.in_nested_transaction():
            return
        if self.heads:
            heads.note(heads.path(), self.database, self.heads)
        for draft, error in self.lost:
            lost.keep(draft, error)
        self._rolled_back(session)

    def _rolled_back(self, session: Session) -> None:
        self.heads = {}  # also of a savepoint: a head that is not noted is noted with the next one
        if not session.in_nested_transaction():
            self.lost = []


def _lose(code: str, project_id: int, error: Exception, session: Session | None) -> None:
    """Count an event that nothing can bring back."""
    log.error("event %s could not be told: %s", code, type(error).__name__)
    row = {"ts": moment(), "project_id": project_id, "reason_code": code, "error": type(error).__name__}
    try:
        if session is None:
            with brief_transaction(LOCK_SECONDS, WRITE_SECONDS) as connection:
                connection.execute(insert(EmitGap), row)
        else:
            connection = session.connection()
            with connection.begin_nested():
                connection.execute(insert(EmitGap), row)
    except Exception:
        log.exception("nor could the gap be counted")


def gaps(session: Session, project_id: int | None = None) -> int:
    """How many events are missing from the stream now: those that wait to come back, and those that are lost for good."""
    query = select(func.count()).select_from(EmitGap)
    for_good = session.scalar(query if project_id is None else query.where(EmitGap.project_id == project_id)) or 0
    return for_good + len(lost.waiting(project_id))
