"""documents.add: text and Markdown files are copied into the project, by the hash of their content."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.processes.context import Context
from brewslm.reasons import Reason, Refusal
from brewslm.reasons.refusals import InvalidRequest, SourceBinary, SourceEmpty, SourceNotFound
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store.files import sha256, write_atomic
from brewslm.store.records import Records
from brewslm.store.tables import Document, Run

MEDIA_TYPES = {".txt": "text/plain", ".text": "text/plain", ".md": "text/markdown", ".markdown": "text/markdown"}
_SNIFFED_BYTES = 65_536


class AddRequest(ProjectRequest):
    """Add these files, or the text and Markdown files of these folders; paths are absolute."""

    paths: list[str]


class Candidate(BaseModel):
    """One file to add; `name` is how people will know it."""

    model_config = ConfigDict(frozen=True)

    path: Path
    name: str


class Skipped(BaseModel):
    """A file of a named folder that was left out, with the code of its reason."""

    model_config = ConfigDict(frozen=True)

    name: str
    reason: str


class AddJob(Job):
    """The files, each looked at once."""

    folder: Path
    files: list[Candidate]
    skipped: list[Skipped]


class AddedDocument(BaseModel):
    """A file that stands in the project now; `path` is relative to the project's folder."""

    model_config = ConfigDict(frozen=True)

    name: str
    path: str
    content_hash: str
    media_type: str
    size_bytes: int


class AddResult(Result):
    """What was kept, and what was left out of a folder."""

    documents: list[AddedDocument]
    skipped: list[Skipped]


def resolve(request: AddRequest, records: Records) -> AddJob:
    """Look at every file before one is copied.

    Raises:
        StageError: A file that was named is missing, empty, binary or of another kind; a folder has none to add. A file
            that was only found in a folder is left out instead, with its reason.
    """
    files: list[Candidate] = []
    skipped: list[Skipped] = []
    for named in request.paths:
        path = Path(named)
        if not path.is_absolute():
            raise StageError(InvalidRequest(), "a document's path must be absolute", where=named)
        before = len(files)
        for found in _inside(path) if path.is_dir() else (path,):
            name = str(found.relative_to(path)) if found != path else found.name
            reason = _unusable(found)
            if reason is None:
                files.append(Candidate(path=found, name=name))
            elif found == path:
                raise _refused(reason, found)
            else:
                skipped.append(Skipped(name=name, reason=reason.code))
        if len(files) == before:
            raise StageError(SourceEmpty(), where=named, cause="it holds no text or Markdown file with text in it")
    return AddJob(folder=records.folder, files=files, skipped=skipped)


def _inside(folder: Path) -> Iterator[Path]:
    yield from sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix.lower() in MEDIA_TYPES)


def _unusable(path: Path) -> Refusal | None:
    if not path.is_file():
        return SourceNotFound()
    if path.suffix.lower() not in MEDIA_TYPES:
        return InvalidRequest()
    with path.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
    if not head.strip():
        return SourceEmpty()
    return SourceBinary() if b"\0" in head else None


def _refused(reason: Refusal, path: Path) -> StageError:
    causes = {
        SourceNotFound: "it is not there",
        SourceEmpty: "it holds no text",
        SourceBinary: "it holds bytes that no text has",
        InvalidRequest: f"{path.suffix or 'no suffix'} is not one of {', '.join(MEDIA_TYPES)}",
    }
    next_step = "Name text and Markdown files, or a folder of them."
    return StageError(reason, "the documents were not added", where=str(path), cause=causes[type(reason)], next_step=next_step)


def run(job: AddJob, context: Context) -> AddResult:
    """Copy the files; one that stands there already is left as it is."""
    documents = []
    for file in context.track(job.files, len(job.files), "documents"):
        suffix = file.path.suffix.lower()
        digest = sha256(file.path)
        kept = Path("documents") / f"{digest[:16]}{suffix}"
        if not (job.folder / kept).exists():
            write_atomic(job.folder / kept, file.path.read_bytes())
        size = (job.folder / kept).stat().st_size
        documents.append(
            AddedDocument(name=file.name, path=str(kept), content_hash=digest, media_type=MEDIA_TYPES[suffix], size_bytes=size)
        )
    return AddResult(documents=documents, skipped=job.skipped)


def record(result: AddResult, session: Session, run: Run) -> Sequence[Reason]:
    """Write the documents that are new to the project; adding writes no event, cleaning does."""
    assert run.project_id is not None
    known = set(session.scalars(select(Document.content_hash).where(Document.project_id == run.project_id)))
    added = 0
    for one in result.documents:
        if one.content_hash not in known:
            known.add(one.content_hash)
            session.add(Document(project_id=run.project_id, **one.model_dump()))
            added += 1
    run.result = (run.result or {}) | {"added": added, "known": len(result.documents) - added}
    return ()
