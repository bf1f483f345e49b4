"""Stages 10 and 11: export, and which exported model answers."""

from fastapi import APIRouter, Response

from brewslm.api.work import Fields, Key, asked, queue
from brewslm.observe.deployments import DeploymentView, TargetView, deployments, targets
from brewslm.pipeline.runs import RunView
from brewslm.stages.deploy.changes import CreateRequest, RejectRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.deploy.rollback import RollbackRequest
from brewslm.stages.export import ExportRequest

router = APIRouter(prefix="/api", tags=["deployment"])


class ExportFields(Fields):
    """See export.run."""

    formats: tuple[str, ...] | None = None


class CreateFields(Fields):
    """See deploy.create."""

    export: str
    variant: str | None = None
    endpoint: str = "default"
    target: str = "local"
    settings: dict[str, str] = {}


@router.post("/experiments/{experiment_id}/export", operation_id="export.run", status_code=202)
def export(experiment_id: str, response: Response, fields: ExportFields | None = None, key: Key = None) -> RunView:
    """Write the trained model as files that other programs run, each checked by running it."""
    wanted = {"formats": fields.formats} if fields and fields.formats else {}
    return queue(asked(ExportRequest, experiment=experiment_id, **wanted), key, response)


@router.get("/projects/{project}/deployments", operation_id="deploy.list")
def listed(project: int) -> list[DeploymentView]:
    """The project's versions, newest first."""
    return deployments(project)


@router.get("/deployment-targets", operation_id="deploy.targets")
def known_targets() -> list[TargetView]:
    """What can serve an export, with its settings."""
    return targets()


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
