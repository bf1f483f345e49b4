"""Events of any kind at any time, written as they are written in life: through the triggers."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from brewslm.audit.chain import GENESIS, canonical, link
from brewslm.store.database import transaction
from brewslm.store.tables import RunEvent

START = datetime(2026, 1, 31, 22, 0, tzinfo=UTC)


def write(project: int, events: Iterable[dict]) -> list[int]:
    """Append them to the project's chain; each is `code`, and whatever differs from an ordinary one. Returns their ids."""
    with transaction() as session:
        newest = session.scalars(
            select(RunEvent).where(RunEvent.project_id == project).order_by(RunEvent.sequence.desc()).limit(1)
        ).first()
        sequence, previous = (newest.sequence, newest.hash) if newest else (0, GENESIS)
        at = session.scalar(select(func.max(RunEvent.id))) or 0
        ids = []
        for number, event in enumerate(events, 1):
            ts = event.get("at") or START + timedelta(minutes=at + number)
            made = RunEvent(
                id=at + number, project_id=project, sequence=sequence + number, ts=ts.isoformat(timespec="milliseconds"),
                stage=event.get("stage", "training"), severity=event.get("severity", "info"),
                reason_code=event.get("code", "training_completed"), run_id=event.get("run"), parent_run_id=event.get("parent"),
                actor=event.get("actor", "cli:ana"), payload=canonical(event.get("payload", {})), previous_hash=previous,
            )  # fmt: skip
            made.hash = previous = link(made)
            session.add(made)
            session.flush()
            ids.append(made.id)
    return ids
