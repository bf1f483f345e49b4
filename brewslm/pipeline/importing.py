"""From a locator to mapped rows: ingest, introspect, hold the proposal against its gate, then dry run or commit."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.pipeline.execute import OnProgress, RunFailed, call
from brewslm.pipeline.mapping_choice import ImportRequest, check, chosen_mapping, row_reasons
from brewslm.pipeline.runs import RunView
from brewslm.processes.context import DirectContext
from brewslm.reasons.refusals import InvalidRequest
from brewslm.sources import CONNECTORS, connector_of
from brewslm.stages.ingest import IngestRequest
from brewslm.stages.introspect import Introspection, introspect
from brewslm.stages.mapping import CommitRequest, MapRequest, Preview, preview, resolve
from brewslm.stages.mapping.preview import REJECTED_PER_REASON
from brewslm.stages.projects import CreateRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder, sha256
from brewslm.store.records import Records, project_of, source_of
from brewslm.store.tables import ImportConfig, Project, Source


class KeptSource(BaseModel):
    """A source as it is kept; `ingested` tells whether that was done just now."""

    model_config = ConfigDict(frozen=True)

    source_id: int
    locator: str
    content_hash: str
    path: str
    row_count: int
    sentinel_counts: dict[str, int]
    size_bytes: int
    is_whole: bool
    ingested: bool


class Imported(BaseModel):
    """How an import went: its dry run's preview, or its commit's run."""

    model_config = ConfigDict(frozen=True)

    source: KeptSource
    introspection: Introspection
    request: MapRequest
    preview: Preview | None = None
    run: RunView | None = None


OnStage = Callable[[KeptSource | Introspection], None]


def import_rows(
    actor: str, request: ImportRequest, *, on_stage: OnStage = lambda _done: None, on_progress: OnProgress | None = None
) -> Imported:
    """Stages 1 to 3 or 4 for one locator.

    Args:
        on_stage: Gets what ingest and introspect have found, as soon as they have.

    Raises:
        StageError: The request was refused; no row was appended.
        RunFailed: Ingest or commit began and failed.
    """
    found = planned_import(actor, request, on_stage=on_stage, on_progress=on_progress)
    if request.commit:
        run = call(actor, CommitRequest(**found.request.model_dump()), on_progress=on_progress)
        return found.model_copy(update={"run": run})
    return found.model_copy(update={"preview": dry_run(found.request, on_progress)})


def planned_import(
    actor: str, request: ImportRequest, *, on_stage: OnStage = lambda _done: None, on_progress: OnProgress | None = None
) -> Imported:
    """Stages 1 and 2, and the mapping that would be used. The source is ingested when the project lacks its current content.

    Raises:
        StageError: The request was refused; no row was appended.
        RunFailed: Ingest began and failed.
    """
    request = _with_config(request)
    check(request)
    first_project(actor, request.project)
    source = keep(actor, request.project, request.locator, request.limit, on_progress)
    on_stage(source)
    introspection = _introspected(request.project, source)
    on_stage(introspection)
    chosen = chosen_mapping(request, introspection)
    mapping = MapRequest(
        project=request.project,
        locator=request.locator,
        content_hash=source.content_hash,
        limit=request.limit,
        gold=request.gold,
        drop_reasons=row_reasons(request.drop),
        **chosen.model_dump(),
    )
    return Imported(source=source, introspection=introspection, request=mapping)


def _with_config(request: ImportRequest) -> ImportRequest:
    if request.config is None:
        return request
    with reading() as session:
        project_of(session, request.project)
        found = session.get(ImportConfig, request.config)
    if found is None or found.project_id != request.project:
        next_step = f"See brewslm import configs --project {request.project}."
        raise StageError(InvalidRequest(), f"there is no config {request.config} in this project", next_step=next_step)
    same = request.mapper in (None, found.mapper)
    return request.model_copy(
        update={
            "mapper": request.mapper or found.mapper,
            "field_map": (found.field_map if same else {}) | request.field_map,
            "drop": request.drop or list(found.drop_reasons),
        }
    )


def dry_run(
    request: MapRequest, on_progress: OnProgress | None = None, rejected_per_reason: int = REJECTED_PER_REASON
) -> Preview:
    """What committing this mapping would do.

    Args:
        rejected_per_reason: So many rejected rows of each reason are shown.

    Raises:
        StageError: As `resolve` and `checked_mapper` of the mapping stage.
    """
    with reading() as session:
        project_of(session, request.project)
        job = resolve(request, Records(session, "preview", request.project, ""))
    with tempfile.TemporaryDirectory(prefix="brewslm-preview-") as folder:
        return preview(job, DirectContext(Path(folder), on_progress), rejected_per_reason)


def introspect_locator(locator: str) -> Introspection:
    """Introspect a source where it stands, without any project.

    Raises:
        StageError: There is no such source.
    """
    connector, reference = connector_of(locator)
    return introspect(connector.describe(reference))


def first_project(actor: str, project: int) -> None:
    """Give an empty home its project 1 on first use; see that any other project is there.

    Raises:
        StageError(UnknownProject): It is not.
    """
    with reading() as session:
        empty = session.query(Project.id).first() is None
    if empty and project == 1:
        with suppress(RunFailed):  # another first command may be faster
            call(actor, CreateRequest(name="project 1"))
    with reading() as session:
        project_of(session, project)


def keep(actor: str, project: int, locator: str, limit: int | None, on_progress: OnProgress | None = None) -> KeptSource:
    """The project's copy of what a locator names now, ingested if need be.

    Args:
        limit: How many rows are wanted; None for all.

    Raises:
        StageError: The locator can't be a source.
        RunFailed: Ingest began and failed.
    """
    connector, reference = connector_of(locator)
    path, _ = connector.found(reference, limit)
    content_hash = sha256(path)
    with reading() as session:
        found = source_of(session, project, locator, content_hash)
    if found is not None and _is_whole(found):
        return _kept(found, ingested=False)
    ingest = IngestRequest(project=project, locator=locator, limit=limit)
    result = call(actor, ingest, on_progress=on_progress).result or {}
    with reading() as session:
        return _kept(session.get_one(Source, result["source_id"]), ingested=True)


def _is_whole(source: Source) -> bool:
    path = project_folder(source.project_id) / source.path
    return path.exists() and sha256(path) == (source.kept_sha256 or source.content_hash)


def _kept(source: Source, *, ingested: bool) -> KeptSource:
    fields = {name: getattr(source, name) for name in KeptSource.model_fields if name not in ("source_id", "ingested")}
    return KeptSource(source_id=source.id, ingested=ingested, **fields)


def _introspected(project: int, source: KeptSource) -> Introspection:
    connector, reference = connector_of(source.locator)
    if source.path.endswith(".jsonl") and connector.extension not in ("jsonl", "file"):  # rows were forgotten: pipeline/forget
        connector = CONNECTORS["jsonl"]
    return introspect(connector.describe(reference, project_folder(project) / source.path))
