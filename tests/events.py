"""Events of other days: `emit_event` takes the present moment, so these are written as it writes them."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import select

from brewslm.audit.chain import GENESIS, canonical, link
from brewslm.reasons import Reason
from brewslm.store.database import transaction
from brewslm.store.tables import RunEvent


def write_events(
    project: int, told: Iterable[tuple[datetime, Reason]], run_ids: Iterable[str | None] = (), actor: str = "cli:ana"
) -> None:
    """Append each with its moment to the project's chain."""
    names = iter(run_ids)
    with transaction() as session:
        newest = session.scalars(
            select(RunEvent).where(RunEvent.project_id == project).order_by(RunEvent.sequence.desc())
        ).first()
        for moment, reason in told:
            event = RunEvent(
                project_id=project, sequence=newest.sequence + 1 if newest else 1,
                ts=moment.astimezone(UTC).isoformat(timespec="milliseconds"), stage=reason.stage, severity=reason.severity,
                reason_code=reason.code, run_id=next(names, None), parent_run_id=None, actor=actor,
                payload=canonical(reason.payload()), previous_hash=newest.hash if newest else GENESIS,
            )  # fmt: skip
            event.hash = link(event)
            session.add(event)
            session.flush()
            newest = event
