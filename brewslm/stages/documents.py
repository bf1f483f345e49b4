"""documents.add: documents are copied into the project, by the hash of their content. They become text when they are cleaned."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.processes.context import Context
from brewslm.readers import READERS
from brewslm.readers.sniff import BY_SUFFIX, media_type_of
from brewslm.reasons import Reason
from brewslm.reasons.refusals import InvalidRequest, PathOutsideProject, SourceEmpty
from brewslm.reasons.shown import shown_url
from brewslm.sources.url import UrlConnector
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store.files import new_file, sha256
from brewslm.store.records import Records
from brewslm.store.tables import Document, Run

_FILE, _URL = "file:", "url:"
_COPY_BYTES = 1024 * 1024


class AddRequest(ProjectRequest):
    """Add these documents: absolute paths of files and of folders, `file:` paths, `url:https://…` locators."""

    paths: list[str]

    @field_validator("paths")
    @classmethod
    def _plain_paths(cls, named: list[str]) -> list[str]:
        """`file:` is a path's long form; it is made absolute where the request is made, for a worker may run it elsewhere."""
        return [str(Path(one.removeprefix(_FILE)).expanduser().absolute()) if one.startswith(_FILE) else one for one in named]


class Candidate(BaseModel):
    """One file to add; `name` is how people will know it."""

    model_config = ConfigDict(frozen=True)

    path: Path
    name: str
    media_type: str


class Skipped(BaseModel):
    """A file of a named folder that was left out, with the code of its reason."""

    model_config = ConfigDict(frozen=True)

    name: str
    reason: str


class AddJob(Job):
    """The files, each looked at once, and the references of the URLs that are still to be fetched."""

    folder: Path
    files: list[Candidate]
    skipped: list[Skipped]
    urls: list[str] = []
    forgotten: list[str] = []
    """Hashes of documents that were forgotten: none is copied again."""


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
    """Look at the beginning of every file before one is copied.

    Raises:
        StageError: A file that was named is missing, empty, or of a kind that is not read; a folder has none to add. A file
            that was only found in a folder is left out instead, with its reason.
    """
    files: list[Candidate] = []
    skipped: list[Skipped] = []
    for path in (Path(one) for one in request.paths if not one.startswith(_URL)):
        if not path.is_absolute():
            raise StageError(InvalidRequest(), "a document's path must be absolute", where=str(path))
        if path.is_dir():
            files += _of_folder(path, skipped)
        else:
            files.append(_candidate(path, path.name, str(path)))
    urls = [one.removeprefix(_URL) for one in request.paths if one.startswith(_URL)]
    gone = select(Document.content_hash).where(Document.project_id == records.project_id, Document.reason == "forgotten")
    forgotten = list(records.session.scalars(gone))
    return AddJob(folder=records.folder, files=files, skipped=skipped, urls=urls, forgotten=forgotten)


def _candidate(path: Path, name: str, where: str) -> Candidate:
    try:
        return Candidate(path=path, name=name, media_type=media_type_of(path))
    except StageError as error:
        raise StageError(
            error.reason, "the documents were not added", where=where, cause=error.cause or error.what, next_step=error.next_step
        ) from error


def _of_folder(folder: Path, skipped: list[Skipped]) -> list[Candidate]:
    """The documents of a folder; what is none is added to `skipped`."""
    root, files = folder.resolve(), []
    for path in _inside(folder):
        name = str(path.relative_to(folder))
        try:
            if not path.resolve().is_relative_to(root):
                raise StageError(PathOutsideProject(), where=str(path))
            files.append(Candidate(path=path, name=name, media_type=media_type_of(path)))
        except StageError as error:
            skipped.append(Skipped(name=name, reason=error.reason.code))
        except (OSError, RuntimeError):  # RuntimeError: links that lead in a circle
            skipped.append(Skipped(name=name, reason=PathOutsideProject.code))
    if not files:
        raise StageError(
            SourceEmpty(), where=str(folder), cause="it holds no document", next_step=f"Known: {', '.join(BY_SUFFIX)}."
        )
    return files


def _inside(folder: Path) -> Iterator[Path]:
    """Its files and links, at any depth, in order. What is hidden (.git) is no document; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted([*names, *links]) if not name.startswith("."))


def run(job: AddJob, context: Context) -> AddResult:
    """Fetch what is to be fetched, then copy the files; one that stands there already is left as it is.

    Raises:
        StageError: A URL can't be fetched, or is no document; nothing was copied then.
    """
    files = [*job.files, *(_fetched(url) for url in job.urls)]
    forgotten = {file.path for file in files if job.forgotten and sha256(file.path) in job.forgotten}
    skipped = [*job.skipped, *(Skipped(name=file.name, reason="forgotten") for file in files if file.path in forgotten)]
    left = [file for file in files if file.path not in forgotten]
    documents = [_kept(file, job.folder) for file in context.track(left, len(left), "documents")]
    return AddResult(documents=documents, skipped=skipped)


def _fetched(reference: str) -> Candidate:
    where = shown_url(reference)
    path = UrlConnector().fetched(reference)
    return _candidate(path, PurePosixPath(urlsplit(reference).path).name or where, where)


def _kept(file: Candidate, folder: Path) -> AddedDocument:
    digest = sha256(file.path)
    kept = Path("documents") / f"{digest[:16]}{READERS[file.media_type].suffixes[0]}"
    if not (folder / kept).exists():
        with file.path.open("rb") as original, new_file(folder / kept) as copy:
            while block := original.read(_COPY_BYTES):
                copy.write(block)
    size = (folder / kept).stat().st_size
    return AddedDocument(name=file.name, path=str(kept), content_hash=digest, media_type=file.media_type, size_bytes=size)


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
