"""deploy.schedule, deploy.pause_schedule and deploy.unschedule: when the version behind a slot is checked for drift.

A schedule belongs to the slot, so that it goes on with whichever version is promoted there. The table is what is wanted; the
workers tick it (`pipeline/schedules.py`).
"""

from collections.abc import Sequence

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.metrics.drift import DEFAULT
from brewslm.reasons import Reason
from brewslm.reasons.deployment import DeploymentScheduled
from brewslm.reasons.refusals import UnknownSchedule
from brewslm.stages.contract import ProjectRequest
from brewslm.stages.deploy.changes import ENDPOINT
from brewslm.stages.deploy.cron import check_cron, next_times
from brewslm.store.records import locked_gold_set
from brewslm.store.tables import DriftSchedule, Run, now

SHOWN = 3
"""Next times that are told."""


class ScheduleRequest(ProjectRequest):
    """Check the version that a slot points to, whenever a cron expression says so; in place of the slot's former schedule.

    Attributes:
        cron: Five fields (minute, hour, day, month, weekday), or six that begin with seconds.
        timezone: Its IANA name, in which the expression is read.
        gold_set, tolerance, rollback: As in deploy.check_drift.
    """

    slot: str = ENDPOINT
    cron: str
    timezone: str = "UTC"
    gold_set: str | None = None
    tolerance: float = Field(default=DEFAULT.tolerance, ge=0, lt=1)
    rollback: bool = False


class PauseRequest(ProjectRequest):
    """Let a schedule rest, or go on from now on: what would have been due meanwhile is not made up for."""

    slot: str = ENDPOINT
    paused: bool = True


class UnscheduleRequest(ProjectRequest):
    """Forget a slot's schedule; its checks stay."""

    slot: str = ENDPOINT


def schedule_of(session: Session, project: int, slot: str) -> DriftSchedule:
    """The slot's schedule.

    Raises:
        StageError(UnknownSchedule): It has none.
    """
    found = _known(session, project, slot)
    if found is None:
        raise StageError(UnknownSchedule(), where=f"project {project}, slot {slot}")
    return found


def _known(session: Session, project: int, slot: str) -> DriftSchedule | None:
    table = DriftSchedule
    return session.scalar(select(table).where(table.project_id == project, table.slot == slot))


def record(request: ScheduleRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Write it; from now on it is due.

    Raises:
        StageError(InvalidRequest): It is no cron expression, or there is no such time zone.
        StageError(UnknownGoldSet): There is no such gold set, or it is not locked.
    """
    check_cron(request.cron, request.timezone)
    if request.gold_set is not None:
        locked_gold_set(session, request.project, request.gold_set)
    wanted = request.model_dump(exclude={"project", "slot"})
    found = _known(session, request.project, request.slot)
    if found is None:
        found = DriftSchedule(
            project_id=request.project, slot=request.slot, handled_until=now(), actor=run.actor, missed=0, **wanted
        )  # fmt: skip
        session.add(found)
    else:
        for name, value in wanted.items():
            setattr(found, name, value)
        found.is_paused, found.handled_until, found.missed, found.actor = False, now(), 0, run.actor
    return _told(found, run, "set")


def pause(request: PauseRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Rest, or go on.

    Raises:
        StageError(UnknownSchedule): The slot has none.
    """
    found = schedule_of(session, request.project, request.slot)
    if found.is_paused and not request.paused:
        found.handled_until = now()
    found.is_paused = request.paused
    return _told(found, run, "paused" if request.paused else "resumed")


def unschedule(request: UnscheduleRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Forget it.

    Raises:
        StageError(UnknownSchedule): The slot has none.
    """
    found = schedule_of(session, request.project, request.slot)
    session.delete(found)
    return _told(found, run, "removed")


def _told(found: DriftSchedule, run: Run, action: str) -> Sequence[Reason]:
    due = next_times(found.cron, found.timezone, now(), SHOWN) if action in ("set", "resumed") else []
    run.result = {
        "slot": found.slot, "cron": found.cron, "timezone": found.timezone, "action": action,
        "next_times": [one.isoformat() for one in due],
    }  # fmt: skip
    return [DeploymentScheduled(action=action, slot=found.slot, cron=found.cron, timezone=found.timezone, actor=run.actor)]
