"""Stages 10 and 11: export, and which exported model answers."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from brewslm.api.work import ACTOR, Fields, Key, asked, queue
from brewslm.metrics.drift import DEFAULT
from brewslm.observe.deployments import DeploymentView, deployments
from brewslm.observe.drift import CheckView, ScheduleView, checks, schedule, schedules
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView
from brewslm.stages.deploy.changes import CreateRequest, RejectRequest
from brewslm.stages.deploy.drift import CheckRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.deploy.rollback import RollbackRequest
from brewslm.stages.deploy.schedule import PauseRequest, ScheduleRequest, UnscheduleRequest
from brewslm.stages.export import ExportRequest

router = APIRouter(prefix="/api", tags=["deployment"])


class ExportFields(Fields):
    """See export.run."""

    formats: tuple[str, ...] | None = None


class CreateFields(Fields):
    """See deploy.create."""

    export: str
    variant: str = "gguf-q8_0"


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


@router.post("/experiments/{experiment_id}/export", operation_id="export.run", status_code=202)
def export(experiment_id: str, response: Response, fields: ExportFields | None = None, key: Key = None) -> RunView:
    """Write the trained model as files that other programs run, each checked by running it."""
    wanted = {"formats": fields.formats} if fields and fields.formats else {}
    return queue(asked(ExportRequest, experiment=experiment_id, **wanted), key, response)


@router.get("/projects/{project}/deployments", operation_id="deploy.list")
def listed(project: int) -> list[DeploymentView]:
    """The project's versions, newest first."""
    return deployments(project)


@router.post("/deployments", operation_id="deploy.create", status_code=202)
def create(fields: CreateFields, response: Response, key: Key = None) -> RunView:
    """Make a version of an export, pending until it is promoted."""
    return queue(asked(CreateRequest, **dict(fields)), key, response)


@router.post("/deployments/{deployment}/promote", operation_id="deploy.promote", status_code=202)
def promote(deployment: int, response: Response, key: Key = None) -> RunView:
    """Let a version answer; refused without a passing verdict and a live smoke check."""
    return queue(asked(PromoteRequest, deployment=deployment), key, response)


@router.post("/deployments/{deployment}/reject", operation_id="deploy.reject", status_code=202)
def reject(deployment: int, response: Response, key: Key = None) -> RunView:
    """Turn a pending version down."""
    return queue(asked(RejectRequest, deployment=deployment), key, response)


@router.post("/deployments/{deployment}/rollback", operation_id="deploy.rollback", status_code=202)
def rollback(deployment: int, response: Response, key: Key = None) -> RunView:
    """Take a promoted version back; the one before it answers again."""
    return queue(asked(RollbackRequest, deployment=deployment), key, response)


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
