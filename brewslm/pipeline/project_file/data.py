"""The parts of a project file from sources to the data manifest."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.pipeline.project_file.now import Look, Now, asked, digest, held, job_of
from brewslm.pipeline.project_file.schema import HIDDEN, PREPARE, SOURCE
from brewslm.reasons.refusals import NotPrepared, SourceNotFound
from brewslm.reasons.shown import shown_locator
from brewslm.sources import connector_of, names_a_path
from brewslm.stages import clean, documents, prepare
from brewslm.stages.ingest import IngestRequest
from brewslm.stages.mapping import CommitRequest
from brewslm.stages.mapping.undo import UndoRequest
from brewslm.stages.projects import ChangeRequest
from brewslm.store import tables
from brewslm.store.files import sha256
from brewslm.store.records import imports_of, project_of

ONLY_SHOWN = ("drop_reasons",)
"""Fields of a source that change what is shown of it, and not one of its rows."""


def base(now: Now) -> Iterator[Look]:
    """The project's base model."""
    wanted, has = now.file.project.base_model, project_of(now.session, now.project).base_model
    if wanted is not None:
        request = ChangeRequest(project=now.project, base_model=wanted)
        why = "as set" if wanted == has else f"base_model {has} → {wanted}"
        inputs = {"base_model": wanted, "former": has}
        yield Look("project.change", request=request, inputs=inputs, done=wanted == has, why=why)


def undone(now: Now) -> Iterator[Look]:
    """Imports of a source that the file names, by a mapping that it does not: their rows would stay beside the others."""
    named = {shown_locator(source.locator) for source in now.file.sources}
    wanted = [source_key(source) for source in now.file.sources]
    for imported, request, _ in standing_imports(now):
        if shown_locator(request.locator) in named and source_key(request) not in wanted:
            run = imported.run_id
            why = f"it was mapped by {request.mapper} {_columns(request)}"
            yield Look("import.undo", run, request=UndoRequest(import_run=run), inputs={"import": run}, why=why)


def sources(now: Now) -> Iterator[Look]:
    """Each source, by its content where that is a file; what lies elsewhere is taken as it was fetched."""
    known = list(standing_imports(now))
    for source in now.file.sources:
        yield _source(now, source, known)


def _source(now: Now, source: CommitRequest, known: list[tuple[tables.Import, CommitRequest, tables.Source]]) -> Look:
    subject = shown_locator(source.locator)
    mine = [(one, kept) for one, request, kept in known if source_key(request) == source_key(source)]
    problem: StageError | None = None
    content = None
    if names_a_path(source.locator.partition(":")[0]):
        try:
            connector, reference = connector_of(source.locator)
            content = sha256(connector.found(reference, source.limit)[0])
        except StageError as error:
            problem = error
    elif not mine and HIDDEN in source.locator:
        cause = f"in a file, {HIDDEN} stands for what may be secret in an address"
        step = "Import it by hand once (brewslm map), or fetch the file and name its path."
        problem = StageError(SourceNotFound(), where=subject, cause=cause, next_step=step)
    same = [(one, kept) for one, kept in mine if content in (None, kept.content_hash)]
    request = source.model_copy(update={"project": now.project})
    inputs = {name: value for name, value in asked(SOURCE, source).items() if name not in ONLY_SHOWN} | {"content": content}
    if same:
        found = same[-1][0]
        why = f"{found.accepted_count:,} rows" + ("; the file is not there any more" if problem else "")
        return Look("map.commit", subject, request=request, inputs=inputs, done=True, run=found.run_id, why=why)
    if problem is not None:
        return Look("map.commit", subject, error=problem)
    why = f"its content is not that of {mine[-1][0].run_id}" if mine else "it was not imported so"
    before = IngestRequest(project=now.project, locator=source.locator, limit=source.limit)
    return Look("map.commit", subject, request=request, before=before, inputs=inputs, why=why)


def standing_imports(now: Now) -> Iterator[tuple[tables.Import, CommitRequest, tables.Source]]:
    """The imports whose rows count, with what was asked; mended rows belong to the import that rejected them."""
    for one in imports_of(now.session, now.project):
        if one.undone_by is None and one.parent_import is None:
            run = now.session.get_one(tables.Run, one.run_id)
            yield one, CommitRequest.model_validate(run.request), now.session.get_one(tables.Source, one.source_id)


def source_key(source: CommitRequest) -> tuple[Any, ...]:
    """What makes two imports the same but for the content: a secret in the address does not count."""
    return shown_locator(source.locator), source.mapper, tuple(sorted(source.field_map.items())), source.limit, source.gold


def _columns(request: CommitRequest) -> str:
    return ", ".join(f"{name}={column}" for name, column in sorted(request.field_map.items()))


def added(now: Now) -> Iterator[Look]:
    """The documents, by their content; those that lie elsewhere, by their address."""
    if now.file.documents is None:
        return
    request = now.file.documents.model_copy(update={"project": now.project})
    has = set(now.session.scalars(select(tables.Document.content_hash).where(tables.Document.project_id == now.project)))
    fetched = {one for run in now.runs("documents.add") for one in run.request["paths"]}
    try:
        job = documents.resolve(request, now.records)
    except StageError as error:
        yield Look("documents.add", error=error)
        return
    contents = [(one.name, sha256(one.path)) for one in job.files]
    missing = [name for name, content in contents if content not in has]
    missing += [f"url:{one}" for one in job.urls if f"url:{one}" not in fetched]
    inputs = {"documents": digest([*(content for _, content in contents), *job.urls])}
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        yield Look(
            "documents.add", request=request, inputs=inputs, why=f"{shown_locator(missing[0])}{more} not in the project yet"
        )
    else:
        yield Look("documents.add", request=request, inputs=inputs, done=True, why="all are in the project")


def cleaned(now: Now) -> Iterator[Look]:
    """The cleaned documents: by their contents, the preset's figures, and the tokens they are measured in."""
    if now.file.clean is None:
        return
    request = now.file.clean.model_copy(update={"project": now.project})
    run = now.newest_run("clean.run")
    try:
        inputs = _of_clean(clean.resolve(request, now.records).model_dump(mode="json"))
    except StageError as error:
        yield Look("clean.run", error=error)
        return
    then = _of_clean(job_of(run.id)) if run else {}
    yield held("clean.run", request, run.id if run else None, then, inputs, "never cleaned")


def _of_clean(job: dict[str, Any]) -> dict[str, Any]:
    kept = {name: job.get(name) for name in ("preset_name", "pii", "preset_sha256", "tokenizer_sha256")}
    return kept | {"documents": digest(one["content_hash"] for one in job.get("documents", ()))}


def prepared(now: Now) -> Iterator[Look]:
    """The data manifest in use: by its imports, gold sets, cleaned documents, and the tokens that it is measured in."""
    if now.file.prepare is None:
        return
    request = now.file.prepare.model_copy(update={"project": now.project})
    try:
        inputs = _of_prepare(prepare.resolve(request, now.records).model_dump(mode="json"))
    except StageError as error:
        yield Look("prepare.run", error=error)
        return
    try:
        manifest = now.records.manifest()
    except StageError as none:
        if not isinstance(none.reason, NotPrepared):
            raise
        yield Look("prepare.run", request=request, inputs=inputs, why="never prepared")
        return
    then = _of_prepare(job_of(manifest.run_id))
    clean_run = now.newest_run("clean.run")
    if clean_run is not None and clean_run.ended_at is not None and clean_run.ended_at > manifest.created_at:
        inputs |= {"cleaned": clean_run.id}
    yield held("prepare.run", request, manifest.run_id, then, inputs, "")


def _of_prepare(job: dict[str, Any]) -> dict[str, Any]:
    base, request = job.get("base", {}), job.get("request", {})
    return {name: value for name, value in request.items() if name not in PREPARE.left_out} | {
        "imports": [one["run_id"] for one in job.get("imports", ())],
        "gold": [one["sha256"] for one in job.get("gold", ())],
        "tokenizer": base.get("tokenizer_sha256"),
        "template": base.get("template_sha256"),
    }
