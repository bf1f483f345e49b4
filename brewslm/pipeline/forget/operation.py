"""row.forget, step by step. Whoever is killed in it leaves what is looked for in the project, and whoever asks again goes on."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.pipeline import runs
from brewslm.pipeline.forget import places, tables_of
from brewslm.pipeline.forget.finding import Found, Saw, SourceLine, find, outside, project_holding, saw
from brewslm.pipeline.forget.hashes import Changed, rehash
from brewslm.pipeline.forget.sweep import empty_lines, sweep
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.refusals import RunConflict
from brewslm.reasons.support import RowForgotten
from brewslm.rows.gold import GOLD_FILE
from brewslm.rows.identity import id_parts
from brewslm.rows.manifest import Forgotten
from brewslm.rows.reasons import RowReason
from brewslm.stages.contract import Job, Request, Result
from brewslm.stages.mapping.media_files import forget_unnamed
from brewslm.store import tables
from brewslm.store.database import engine, reading
from brewslm.store.files import project_folder, read_json, sha256, sync_folder, write_atomic, write_json
from brewslm.store.records import Records
from brewslm.store.tables import Run

_READS_ROWS = (
    "train.run", "train.reproduce", "evaluate.run", "export.run", "export.compare", "preflight.run", "deploy.check_drift",
)  # fmt: skip

_KNOWN_BY_HASH = ("prepared/", "gold/", "exports/", "deployments/")


class ForgetRequest(Request):
    """Remove a row's text wherever it lies.

    Attributes:
        equal: Forget what says the same too, what it was mended from or into, and all chunks of its document.
    """

    row_id: str
    equal: bool = False


class EmptiedSource(BaseModel):
    """A kept source without some of its rows; paths are relative to the project's folder."""

    model_config = ConfigDict(frozen=True)

    content_hash: str
    path: str
    scheme: str
    sha256: str


class ForgetJob(Job):
    """Ids and places; what the rows said stands in the work file alone, which goes when all is done."""

    project: int
    run_id: str
    work: Path
    folder: Path
    places: list[Path]
    row_ids: list[str]
    saw: Saw
    outside: list[str]


class ForgetResult(Result):
    """What was done, by ids, counts and hashes.

    Attributes:
        same: Rows that say the same and were left.
        files: How many files were rewritten.
        changed: Files that something else knows by their hash: the hash before and after.
        saw: What was made with the rows, and can't forget.
        outside: What lies outside the project and was not touched.
    """

    row_ids: list[str]
    same: list[str]
    document: int | None
    files: int
    changed: list[Changed]
    emptied: list[EmptiedSource]
    content_keys: dict[str, str]
    saw: Saw
    outside: list[str]


def project_of(request: ForgetRequest, session: Session) -> int:
    """The row's project.

    Raises:
        StageError(UnknownRow): No project knows it.
    """
    return project_holding(session, request.row_id)


def resolve(request: ForgetRequest, records: Records) -> ForgetJob:
    """Find what the row said, and write that down before anything is removed: it could not be found again afterwards.

    Raises:
        StageError(RunConflict): A run reads the project's rows now; or the row is a chunk, and `equal` was not said.
    """
    session, project = records.session, records.project_id
    _check_quiet(session, project)
    work = records.folder / places.WORK / f"{request.row_id}.json"
    found = _merged(find(session, project, request.row_id, request.equal), work)
    if found.document is not None and not request.equal:
        cause = f"it is one of {len(found.same) + 1:,} chunks of document {found.document}, whose text holds it"
        raise StageError(
            RunConflict(), "A chunk can't be forgotten by itself", where=request.row_id, cause=cause,
            next_step="Forget the whole document: --equal.",
        )  # fmt: skip
    if not found.whole:
        found = found.model_copy(update={"whole": tables_of.whole(session, project, records.folder)})
    work.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(work, found.model_dump(mode="json"))
    return ForgetJob(
        project=project, run_id=records.run_id, work=work, folder=records.folder, places=places.folders(session, project),
        row_ids=found.row_ids, saw=saw(session, project, records.folder, found.row_ids), outside=outside(session, found),
    )  # fmt: skip


def _check_quiet(session: Session, project: int) -> None:
    query = select(Run).where(Run.project_id == project, Run.state == "running", Run.operation.in_(_READS_ROWS))
    busy = next((run for run in session.scalars(query) if runs.view(run).state == "running"), None)
    if busy is not None:
        cause = f"{busy.id} reads the project's rows now, and would write them down again"
        raise StageError(RunConflict(), "The row was not forgotten", cause=cause, next_step=f"Wait for {busy.id}, or cancel it.")


def _merged(found: Found, work: Path) -> Found:
    """With what an attempt that was cut off had found: by now some of it may be gone from where it stood."""
    if not work.exists():
        return found
    before = Found.model_validate(read_json(work))
    sources = {(one.content_hash, one.position, one.source_id): one for one in (*before.sources, *found.sources)}
    return Found(
        row_ids=sorted({*before.row_ids, *found.row_ids}), texts=sorted({*before.texts, *found.texts}),
        same=sorted({*before.same, *found.same} - {*before.row_ids, *found.row_ids}),
        document=before.document if before.document is not None else found.document,
        sources=list(sources.values()), content_keys=before.content_keys | found.content_keys, whole=before.whole,
        changed=before.changed,
    )  # fmt: skip


def run(job: ForgetJob, context: Context) -> ForgetResult:
    """Take the text out of every file, then bring the hashes of manifests and gold sets up to date."""
    found = Found.model_validate(read_json(job.work))
    forgetting, every = found.forgetting(), list(places.files(job.places))

    def note(path: Path, old: str, new: str) -> None:
        name = str(path.relative_to(job.folder)) if path.is_relative_to(job.folder) else places.shown(path)
        found.changed[name] = (found.changed.get(name, (old, ""))[0], new)
        write_json(job.work, found.model_dump(mode="json"))

    for path in context.track(every, len(every), "files"):
        sweep(path, forgetting, note)
    whole = {job.folder / name for name in found.whole}
    said = Forgotten(run_id=job.run_id, row_ids=found.row_ids, former_sha256="")
    for path in sorted(whole):
        if path.name in ("manifest.json", GOLD_FILE) and path.is_file():
            rehash(path, whole, said, note)
    emptied = _emptied(job.folder, found.sources)
    _forget_document(job.folder, found)
    return ForgetResult(
        row_ids=found.row_ids, same=found.same, document=found.document, files=len(found.changed), emptied=emptied,
        changed=[Changed(path=name, old_sha256=old, new_sha256=new) for name, (old, new) in sorted(found.changed.items())],
        content_keys=found.content_keys, saw=job.saw, outside=job.outside,
    )  # fmt: skip


def _emptied(folder: Path, sources: Sequence[SourceLine]) -> list[EmptiedSource]:
    made: dict[str, EmptiedSource] = {}
    for path in sorted({one.path for one in sources}):
        mine = [one for one in sources if one.path == path]
        first, target = mine[0], Path(path).with_suffix(".jsonl")
        if not (folder / path).is_file():  # a former attempt was cut off after the tables knew: they name the new one
            continue
        empty_lines(folder / path, first.scheme, [one.position for one in mine], folder / target)
        scheme = first.scheme if str(target) == path else "jsonl"
        made[first.content_hash] = EmptiedSource(
            content_hash=first.content_hash, path=str(target), scheme=scheme, sha256=sha256(folder / target)
        )
    return list(made.values())


def _forget_document(folder: Path, found: Found) -> None:
    """The texts of a document; its raw file goes once the tables say that it is forgotten."""
    if found.document is not None:
        for name in (f"{found.document}.txt", f"{found.document}.source.txt"):
            if (folder / "cleaned" / name).exists():
                write_atomic(folder / "cleaned" / name, b"")


def record(result: ForgetResult, session: Session, run: Run) -> Sequence[Reason]:
    """Write the tombstones and the new hashes, and take the text out of the tables."""
    assert run.project_id is not None
    project, folder = run.project_id, project_folder(run.project_id)
    found = Found.model_validate(read_json(folder / places.WORK / f"{run.request['row_id']}.json"))
    tables_of.forget(session, project, found.forgetting())
    for row_id in result.row_ids:
        key = result.content_keys.get(row_id, "")
        known = session.get(tables.ForgottenRow, (project, row_id))
        if known is None:
            session.add(tables.ForgottenRow(project_id=project, row_id=row_id, run_id=run.id, content_key=key, same=result.same))
        else:
            known.content_key, known.same = key or known.content_key, result.same
    for one in result.changed:
        session.add(tables.ForgottenFile(project_id=project, run_id=run.id, **one.model_dump()))
    tables_of.follow(session, project, folder, found.whole)
    for emptied in result.emptied:
        for source in session.scalars(
            select(tables.Source).where(tables.Source.project_id == project, tables.Source.content_hash == emptied.content_hash)
        ):
            source.path, source.scheme, source.kept_sha256 = emptied.path, emptied.scheme, emptied.sha256
    if result.document is not None:
        tables_of.forget_document(session, result.document)
    changed = [one.model_dump() for one in result.changed if one.path.startswith(_KNOWN_BY_HASH)]
    told = RowForgotten(
        row_ids=result.row_ids, files=result.files, changed=changed,
        document=result.document, **result.saw.model_dump(),
    )  # fmt: skip
    return (told,)


def after(run: Run) -> None:
    """Remove what no table names any more, write the database anew, and last of all remove what was looked for."""
    assert run.project_id is not None
    folder = project_folder(run.project_id)
    work = folder / places.WORK / f"{run.request['row_id']}.json"
    row_ids = Found.model_validate(read_json(work)).row_ids if work.exists() else []
    with reading() as session:
        kept = {one.path for one in session.scalars(select(tables.Source).where(tables.Source.project_id == run.project_id))}
        stems = {id_parts(one)[0][1:] for one in row_ids}
        old = [path for stem in stems for path in folder.glob(f"sources/{stem}.*") if str(path.relative_to(folder)) not in kept]
        gone = select(tables.Document.path).where(
            tables.Document.project_id == run.project_id, tables.Document.reason == RowReason.FORGOTTEN.value
        )
        for path in (*old, *(folder / one for one in session.scalars(gone))):
            path.unlink(missing_ok=True)
        forget_unnamed(session, run.project_id)
    _write_anew()
    for path in (work, *work.parent.glob(f".{work.name}.*")):  # a writer that was killed leaves its unfinished file
        if path.exists():
            with path.open("r+b") as file:  # its blocks, too
                file.write(b"\0" * path.stat().st_size)
                os.fsync(file.fileno())
            path.unlink()
    if work.parent.is_dir():
        sync_folder(work.parent)


def _write_anew() -> None:
    """What was updated leaves its old text in free pages and in the log beside the database (SQLite)."""
    opened = engine()
    if opened.dialect.name != "sqlite":
        return
    raw = opened.raw_connection()
    try:
        with suppress(sqlite3.OperationalError):  # somebody holds it for longer than is waited: docs/support.md says what then
            raw.cursor().execute("VACUUM")
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        raw.close()
