"""Read-only views of drift checks and their schedules."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.pipeline import runs
from brewslm.reasons.refusals import UnknownSchedule
from brewslm.stages.deploy.cron import next_times
from brewslm.stages.deploy.schedule import SHOWN
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import DeploymentVersion, DriftCheck, DriftSchedule, Run, Slot, now


class CheckView(BaseModel):
    """A check as every face shows it.

    Attributes:
        name: Of the version that was asked, such as "default v2".
        look: Its number among the version's checks; None, and no figures, where it could not be made.
        verdict: "reference", "steady" or "drifted"; of one that was not made, its run's state.
        problem: The code of what stopped it.
        worse_rows: Ids of rows that got worse, the first twenty.
        rollback: What came of the rollback that was asked for: {run, state, problem}.
    """

    run: str
    deployment: int
    name: str
    actor: str
    created_at: datetime
    verdict: str
    problem: str | None = None
    look: int | None = None
    rows_from: str = ""
    n: int = 0
    metric: str = ""
    before: float = 0.0
    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    fall: float = 0.0
    worse: int = 0
    better: int = 0
    p_value: float = 1.0
    tolerance: float = 0.0
    worse_rows: list[str] = []
    rollback: dict[str, str | None] | None = None


def checks(
    project: int, deployment: int | None = None, limit: int = 100, *, slot: str | None = None, before: int | None = None
) -> list[CheckView]:  # fmt: skip
    """The project's checks, newest first.

    Args:
        deployment: Of this version alone; `slot`: of this endpoint's versions.
        before: Only those with a smaller number: of check-7 it is 7.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    asked = Run.request["deployment"].as_integer()
    query = (
        select(Run, DriftCheck)
        .outerjoin(DriftCheck, DriftCheck.run_id == Run.id)
        .where(Run.project_id == project, Run.operation == "deploy.check_drift")
        .order_by(Run.number.desc())
        .limit(limit)
    )
    if deployment is not None:
        query = query.where(asked == deployment)
    if before is not None:
        query = query.where(Run.number < before)
    versions = select(DeploymentVersion).where(DeploymentVersion.project_id == project)
    if slot is not None:
        versions = versions.where(DeploymentVersion.slot == slot)
    with reading() as session:
        project_of(session, project)
        names = {one.id: f"{one.slot} v{one.version}" for one in session.scalars(versions)}
        if slot is not None:
            query = query.where(asked.in_(names))
        found = list(session.execute(query).tuples())
    return [_view(run, check, names) for run, check in found]


def _view(run: Run, check: DriftCheck | None, names: dict[int, str]) -> CheckView:
    shown, asked = runs.view(run), run.request["deployment"]
    common = {"run": run.id, "deployment": asked, "name": names.get(asked, ""), "actor": run.actor, "created_at": run.created_at}
    if check is None:
        return CheckView(**common, verdict=shown.state, problem=(run.problem or {}).get("code"))
    figures = {
        name: getattr(check, name)
        for name in (
            "verdict", "look", "rows_from", "n", "metric", "before", "value", "low", "high", "fall", "worse", "better", "p_value",
            "tolerance",
        )
    }  # fmt: skip
    said = run.result or {}
    done = said.get("rollback")
    rollback = {name: done[name] for name in ("run", "state", "problem")} if done else None
    return CheckView(**common, **figures, worse_rows=said.get("worse_rows", []), rollback=rollback)


class ScheduleView(BaseModel):
    """A slot's schedule as every face shows it.

    Attributes:
        next_times: The next three, in its own time zone; [] while it rests.
        deployment: The version that it checks now; None while none is promoted.
        missed: Times that were due while no worker was there, or a check was still at work, and were not made up for.
        last_run: Of its newest check, whose state is `last_state`; None before the first.
    """

    slot: str
    cron: str
    timezone: str
    next_times: list[datetime]
    is_paused: bool
    deployment: int | None
    gold_set: str | None
    tolerance: float
    rollback: bool
    missed: int
    last_run: str | None
    last_state: str | None
    actor: str
    created_at: datetime


def schedules(project: int) -> list[ScheduleView]:
    """The project's schedules, by slot.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project)
        table = DriftSchedule
        found = session.execute(
            select(table, Slot.version_id, Run)
            .outerjoin(Slot, (Slot.project_id == table.project_id) & (Slot.name == table.slot))
            .outerjoin(Run, Run.id == table.last_run_id)
            .where(table.project_id == project)
            .order_by(table.slot)
        ).tuples()
        return [_schedule(one, version, run) for one, version, run in found]


def schedule(project: int, slot: str) -> ScheduleView:
    """A slot's schedule.

    Raises:
        StageError(UnknownProject, UnknownSchedule): There is no such project, or the slot has none.
    """
    found = next((one for one in schedules(project) if one.slot == slot), None)
    if found is None:
        raise StageError(UnknownSchedule(), where=f"project {project}, slot {slot}")
    return found


def _schedule(one: DriftSchedule, version: int | None, run: Run | None) -> ScheduleView:
    return ScheduleView(
        slot=one.slot, cron=one.cron, timezone=one.timezone, is_paused=one.is_paused, deployment=version, gold_set=one.gold_set,
        next_times=[] if one.is_paused else next_times(one.cron, one.timezone, now(), SHOWN), tolerance=one.tolerance,
        rollback=one.rollback, missed=one.missed, last_run=one.last_run_id, last_state=runs.view(run).state if run else None,
        actor=one.actor, created_at=one.created_at,
    )  # fmt: skip
