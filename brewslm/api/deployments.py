"""Stages 10 and 11: export, and which exported model answers."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from brewslm.api.work import Fields, Key, asked, queue
from brewslm.observe.compression import CompressionView, compression
from brewslm.observe.deployments import DeploymentView, PlanView, SlotView, TargetView, deployments, plan, slots, targets
from brewslm.observe.gateway import SlotSettingsView, VersionStatistics, slot_settings, version_statistics
from brewslm.observe.modelpassport import ModelPassport, model_passport
from brewslm.observe.modelstory import ModelStory, model_story
from brewslm.observe.playground import Playable, playables
from brewslm.observe.slot_changes import Action, SlotChange, slot_change
from brewslm.pipeline.runs import RunView
from brewslm.stages.deploy.changes import CreateRequest, RejectRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.deploy.rollback import RollbackRequest
from brewslm.stages.deploy.slot_settings import SlotSettingsRequest
from brewslm.stages.export import ExportRequest
from brewslm.stages.export.choosing import Limits
from brewslm.stages.export.compare import CompareRequest

router = APIRouter(prefix="/api", tags=["deployment"])


class ExportFields(Fields):
    """See export.run."""

    formats: tuple[str, ...] | None = None


class CompareFields(Fields):
    """See export.compare."""

    rows: int | None = None


class CreateFields(Fields):
    """See deploy.create."""

    export: str
    variant: str | None = None
    endpoint: str = "default"
    target: str = "local"
    settings: dict[str, str] = {}


class SlotSettingsFields(Fields):
    """See deploy.settings."""

    in_flight: int | None = None
    waiting: int | None = None
    wait_seconds: float | None = None
    silence_seconds: float | None = None
    log_requests: bool | None = None
    log_megabytes: int | None = None


@router.post("/experiments/{experiment_id}/export", operation_id="export.run", status_code=202)
def export(experiment_id: str, response: Response, fields: ExportFields | None = None, key: Key = None) -> RunView:
    """Write the trained model as files that other programs run, each checked by running it."""
    wanted = {"formats": fields.formats} if fields and fields.formats else {}
    return queue(asked(ExportRequest, experiment=experiment_id, **wanted), key, response)


@router.post("/exports/{export}/compare", operation_id="export.compare", status_code=202)
def compare(export: str, response: Response, fields: CompareFields | None = None, key: Key = None) -> RunView:
    """Measure each variant: the task's metric on the eval rows, speed and memory; hold them against F16."""
    return queue(asked(CompareRequest, export=export, **dict(fields or {})), key, response)


@router.get("/exports/{export}/compression", operation_id="export.compression")
def figures(
    export: str,
    max_mb: float | None = None,
    max_memory_mb: float | None = None,
    min_tokens_per_second: float | None = None,
    min_quality: float | None = None,
) -> CompressionView:
    """What was measured last, the Pareto frontier, and which variant to take under these limits."""
    limits = Limits(
        max_mb=max_mb, max_memory_mb=max_memory_mb, min_tokens_per_second=min_tokens_per_second, min_quality=min_quality
    )
    return compression(export, limits)


@router.get("/models/{subject}", operation_id="model.show")
def story(subject: str) -> ModelStory:
    """What made a model and what became of it, as the tables say it: no hash is computed; see model.verify for those."""
    return model_story(subject)


@router.get("/models/{subject}/passport", operation_id="model.verify")
def passport(subject: str) -> ModelPassport:
    """Every hash from base to deployment, computed anew, of exp-3, export-2, export-2:gguf-q8_0 or deployment-5."""
    return model_passport(subject)


@router.get("/projects/{project}/deployments", operation_id="deploy.list")
def listed(project: int) -> list[DeploymentView]:
    """The project's versions, newest first."""
    return deployments(project)


@router.get("/projects/{project}/slots", operation_id="deploy.slots")
def endpoints(project: int) -> list[SlotView]:
    """The names under which versions answer, each with the one that does now; "default" first."""
    return slots(project)


@router.get("/projects/{project}/playground/models", operation_id="playground.models")
def askable(project: int) -> list[Playable]:
    """The models that can be asked by hand, and whether each is served now: promoted ones, the newest exports, their bases."""
    return playables(project)


@router.get("/deployment-targets", operation_id="deploy.targets")
def known_targets() -> list[TargetView]:
    """What can serve an export, with its settings."""
    return targets()


@router.get("/deployments/{deployment}/plan", operation_id="deploy.plan")
def planned(deployment: int) -> PlanView:
    """What the version's target would launch elsewhere, and what it lacks for that."""
    return plan(deployment)


@router.get("/deployments/{deployment}/changes/{action}", operation_id="deploy.change")
def change(deployment: int, action: Action) -> SlotChange:
    """What promote, reject or rollback would change now: both models, what lies between them, and why it would be refused."""
    return slot_change(deployment, action)


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


@router.get("/projects/{project}/deployments/statistics", operation_id="deploy.stats")
def statistics(
    project: int, slot: str | None = None, days: Annotated[int | None, Query(ge=1)] = None
) -> list[VersionStatistics]:  # fmt: skip
    """Requests, errors, latency, time to first token and tokens a second of each version, newest first."""
    return version_statistics(project, slot, days)


@router.get("/projects/{project}/slots/{slot}/settings", operation_id="deploy.slot_settings")
def settings_of(project: int, slot: str) -> SlotSettingsView:
    """How the slot's gateway behaves, and what its request log has."""
    return slot_settings(project, slot)


@router.patch("/projects/{project}/slots/{slot}/settings", operation_id="deploy.settings", status_code=202)
def change_settings(project: int, slot: str, fields: SlotSettingsFields, response: Response, key: Key = None) -> RunView:
    """Set the slot's queue, patience or request log; what is left out stays."""
    return queue(asked(SlotSettingsRequest, project=project, slot=slot, **dict(fields)), key, response)
