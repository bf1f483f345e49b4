"""A project as its file: what its newest operations that succeeded were asked for."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import select

from brewslm.pipeline.project_file import schema
from brewslm.pipeline.project_file.data import source_key, standing_imports
from brewslm.pipeline.project_file.now import Now
from brewslm.pipeline.project_file.schema import VERSION, ProjectFile, Slot
from brewslm.pipeline.project_file.section import Section, text_of
from brewslm.stages.clean import CleanRequest
from brewslm.stages.deploy.changes import CreateRequest as DeployRequest
from brewslm.stages.deploy.schedule import ScheduleRequest
from brewslm.stages.deploy.slot_settings import SlotSettingsRequest
from brewslm.stages.documents import AddRequest
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.export import ExportRequest
from brewslm.stages.mapping import CommitRequest
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.projects import CreateRequest
from brewslm.stages.train import TrainRequest
from brewslm.store import tables
from brewslm.store.database import reading
from brewslm.store.records import project_of

R = TypeVar("R", bound=BaseModel)


def exported(project: int) -> ProjectFile:
    """The file that would make this project. Nothing is made up: a part that was never asked for is not in it.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        found = project_of(session, project)
        nothing = ProjectFile(contract_version=VERSION, project=CreateRequest(name=found.name, base_model=found.base_model))
        now = Now(session, project, nothing)
        experiment = now.experiment()
        parts: dict[str, Any] = {
            "sources": _sources(now),
            "documents": _documents(now),
            "clean": _of_run(CleanRequest, schema.CLEAN, now.newest_run("clean.run")),
            "prepare": _of_run(PrepareRequest, schema.PREPARE, _prepare_run(now)),
            "preflight": _of_run(PreflightRequest, schema.PREFLIGHT, now.newest_run("preflight.run")),
            "train": _of_run(TrainRequest, schema.TRAIN, session.get(tables.Run, experiment.run_id) if experiment else None),
            "evaluate": _of_run(EvaluateRequest, schema.EVALUATE, now.newest_run("evaluate.run", target=None)),
            "export": _of_run(ExportRequest, schema.EXPORT, now.newest_run("export.run")),
            "deploy": _slots(now),
        }
    return nothing.model_copy(update={name: part for name, part in parts.items() if part})


def _of_run(kind: type[R], section: Section, run: tables.Run | None) -> R | None:
    """What a run was asked for; None of one that an older version kept in words that are no longer understood."""
    try:
        return section.request_of(kind, run.request) if run is not None else None
    except ValidationError:
        return None


def _sources(now: Now) -> tuple[CommitRequest, ...]:
    made: dict[Any, CommitRequest] = {}
    for _, request, _ in standing_imports(now):
        made[source_key(request)] = schema.SOURCE.request_of(CommitRequest, request.model_dump(mode="json"))
    return tuple(made.values())


def _documents(now: Now) -> AddRequest | None:
    paths = dict.fromkeys(path for run in now.runs("documents.add") for path in run.request["paths"])
    return AddRequest(project=0, paths=list(paths)) if paths else None


def _prepare_run(now: Now) -> tables.Run | None:
    """Of the manifest in use, which need not be the newest."""
    version = project_of(now.session, now.project).active_manifest
    table = tables.DataManifest
    query = select(table.run_id).where(table.project_id == now.project, table.version == version)
    run_id = now.session.scalar(query)
    return now.session.get(tables.Run, run_id) if run_id else None


def _slots(now: Now) -> tuple[Slot, ...]:
    table = tables.DeploymentVersion
    query = select(table).where(table.project_id == now.project).order_by(table.slot, table.version)
    newest = {version.slot: version for version in now.session.scalars(query)}
    return tuple(_slot(now, version) for version in newest.values())


def _asked(now: Now, version: tables.DeploymentVersion) -> DeployRequest:
    """As the version was asked for; or else as it is."""
    for run in now.runs("deploy.create"):
        if (run.result or {}).get("deployment") == version.id:
            return schema.DEPLOY.request_of(DeployRequest, run.request)
    return DeployRequest(
        export="", variant=version.variant, endpoint=version.slot, target=version.target,
        settings={name: text_of(value) for name, value in version.settings.items() if value is not None},
    )  # fmt: skip


def _slot(now: Now, version: tables.DeploymentVersion) -> Slot:
    settings = now.session.get(tables.SlotSetting, (now.project, version.slot))
    table = tables.DriftSchedule
    schedule = now.session.scalar(select(table).where(table.project_id == now.project, table.slot == version.slot))
    fields = [name for name in ScheduleRequest.model_fields if name not in schema.SCHEDULE.left_out]
    return Slot(
        create=_asked(now, version),
        settings=schema.GATEWAY.request_of(SlotSettingsRequest, settings.values) if settings and settings.values else None,
        schedule=ScheduleRequest(project=0, **{name: getattr(schedule, name) for name in fields}) if schedule else None,
    )
