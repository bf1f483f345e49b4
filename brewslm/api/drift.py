"""Stage 11, while it serves: drift checks, and when they are made."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from brewslm.api.work import ACTOR, Fields, Key, asked, queue
from brewslm.metrics.drift import DEFAULT
from brewslm.observe.drift import CheckView, ScheduleView, checks, schedule, schedules
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView
from brewslm.stages.deploy.drift import CheckRequest
from brewslm.stages.deploy.schedule import PauseRequest, ScheduleRequest, UnscheduleRequest

router = APIRouter(prefix="/api", tags=["deployment"])


class CheckFields(Fields):
    """See deploy.check_drift."""

    gold_set: str | None = None
    tolerance: float = DEFAULT.tolerance
    rollback: bool = False


class ScheduleFields(CheckFields):
    """See deploy.schedule."""

    cron: str
    timezone: str = "UTC"


class PauseFields(Fields):
    """See deploy.pause_schedule."""

    paused: bool = True


@router.post("/deployments/{deployment}/drift/check", operation_id="deploy.check_drift", status_code=202)
def check_drift(deployment: int, response: Response, fields: CheckFields | None = None, key: Key = None) -> RunView:
    """Ask a live version its rows again, and say whether it answers worse than when it was promoted."""
    return queue(asked(CheckRequest, deployment=deployment, **dict(fields or CheckFields())), key, response)


@router.get("/projects/{project}/drift/checks", operation_id="deploy.checks")
def drift_checks(
    project: int, deployment: int | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[CheckView]:  # fmt: skip
    """The project's drift checks, newest first, those that could not be made among them."""
    return checks(project, deployment, limit)


SCHEDULES = "/projects/{project}/drift/schedules"


@router.get(SCHEDULES, operation_id="deploy.schedules")
def listed_schedules(project: int) -> list[ScheduleView]:
    """When the project's deployments are checked."""
    return schedules(project)


@router.put(SCHEDULES + "/{slot}", operation_id="deploy.schedule")
def set_schedule(project: int, slot: str, fields: ScheduleFields, key: Key = None) -> ScheduleView:
    """Check the version that the slot points to whenever a cron expression says so; in place of its former schedule."""
    execute.call(ACTOR, asked(ScheduleRequest, project=project, slot=slot, **dict(fields)), idempotency_key=key)
    return schedule(project, slot)


@router.post(SCHEDULES + "/{slot}/pause", operation_id="deploy.pause_schedule")
def pause_schedule(project: int, slot: str, fields: PauseFields | None = None, key: Key = None) -> ScheduleView:
    """Let a schedule rest, or go on from now on."""
    request = asked(PauseRequest, project=project, slot=slot, **dict(fields or PauseFields()))
    execute.call(ACTOR, request, idempotency_key=key)
    return schedule(project, slot)


@router.delete(SCHEDULES + "/{slot}", operation_id="deploy.unschedule")
def unschedule(project: int, slot: str, key: Key = None) -> list[ScheduleView]:
    """Forget a slot's schedule; those that are left."""
    execute.call(ACTOR, asked(UnscheduleRequest, project=project, slot=slot), idempotency_key=key)
    return schedules(project)
