"""Stage 1, ingest.run: a source is kept in the project by the hash of its content. It writes no event."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.refusals import SourceChanged, SourceEmpty
from brewslm.rows import Ledger, LedgerKeeper
from brewslm.sources import Connector, Locator, connector_of
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store.files import sync_folder
from brewslm.store.records import Records, source_of
from brewslm.store.tables import Run, Source, now

_COPY_BYTES = 1024 * 1024


class IngestRequest(ProjectRequest):
    """Keep what this locator names now.

    Attributes:
        limit: That no more than so many rows are wanted: of a source that is dear to fetch the first of them are then enough.
    """

    locator: Locator
    limit: int | None = Field(default=None, ge=1)


class IngestJob(Job):
    """`folder` is the project's; `emptied` names the kept copies, by content, of which rows were forgotten."""

    locator: str
    limit: int | None = None
    folder: Path
    emptied: dict[str, tuple[str, str]] = {}


class IngestResult(Result):
    """What was kept; `path` is relative to the project's folder."""

    ledger: Ledger
    locator: str
    scheme: str
    content_hash: str
    path: str
    row_count: int
    """Rows that can be read; the sentinels come on top."""
    sentinel_counts: dict[str, int]
    size_bytes: int
    is_whole: bool
    """False when no more than the source's first rows were fetched."""


def resolve(request: IngestRequest, records: Records) -> IngestJob:
    """Find the connector.

    Raises:
        StageError(UnknownScheme): There is none.
    """
    connector_of(request.locator)
    query = select(Source).where(Source.project_id == records.project_id, Source.kept_sha256.is_not(None))
    emptied = {one.content_hash: (one.path, one.scheme) for one in records.session.scalars(query)}
    return IngestJob(locator=request.locator, limit=request.limit, folder=records.folder, emptied=emptied)


def run(job: IngestJob, context: Context) -> IngestResult:
    """Copy the source, hashing what is copied, and count its rows. The copy gets its name when all is well.

    A link would not do: the copy must stay what it is when somebody edits the original in place.

    Raises:
        StageError: The source is missing, a folder, empty, binary, or unavailable.
    """
    connector, reference = connector_of(job.locator)
    original, is_whole = connector.found(reference, job.limit)  # of file:, already unpacked
    folder = job.folder / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".ingest.")
    copy = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as into:
            content_hash = _copied(original, into, context)
        reader = connector.reader(original)
        ledger = _counted(reader, copy, context)
        if ledger.rows_in == 0:
            raise StageError(SourceEmpty(), where=job.locator, cause="it has no row")
        kept, scheme = folder / f"{content_hash[:16]}.{reader.extension}", reader.scheme
        if content_hash in job.emptied:
            kept, scheme = _emptied(job, content_hash)
            copy.unlink()
        else:
            copy.replace(kept)
        sync_folder(folder)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    return IngestResult(
        ledger=ledger,
        locator=job.locator,
        scheme=scheme,
        content_hash=content_hash,
        path=str(kept.relative_to(job.folder)),
        row_count=ledger.rows_out,
        sentinel_counts=ledger.rejected,
        size_bytes=kept.stat().st_size,
        is_whole=is_whole,
    )


def _emptied(job: IngestJob, content_hash: str) -> tuple[Path, str]:
    """The copy that is kept already: a new one would bring back what was forgotten."""
    path, scheme = job.emptied[content_hash]
    if not (job.folder / path).is_file():
        cause = "rows of it were forgotten, and the copy without them is gone"
        raise StageError(SourceChanged(), where=path, cause=cause, next_step="Bring the copy back, or take those rows out first.")
    return job.folder / path, scheme


def _copied(original: Path, into: BinaryIO, context: Context) -> str:
    """Copy into an open file; returns the SHA-256 of what was written."""
    digest = hashlib.sha256()
    with original.open("rb") as file:
        pieces = iter(lambda: file.read(_COPY_BYTES), b"")
        for piece in context.track(pieces, -(-original.stat().st_size // _COPY_BYTES), "MB"):
            digest.update(piece)
            into.write(piece)
    into.flush()
    os.fsync(into.fileno())
    return digest.hexdigest()


def _counted(connector: Connector, copy: Path, context: Context) -> Ledger:
    ledger = LedgerKeeper()
    for block in context.track(connector.blocks(copy), None, "blocks"):
        ledger.enter(len(block))
        ledger.accept(len(block.positions))
        for row in block.sentinels:
            ledger.reject(row.reason)
    return ledger.closed()


def record(result: IngestResult, session: Session, run: Run) -> Sequence[Reason]:
    """Write the source, once for each locator and content; a content that came back is the newest again."""
    assert run.project_id is not None
    found = source_of(session, run.project_id, result.locator, result.content_hash)
    if found is None:
        same = select(Source.kept_sha256).where(Source.project_id == run.project_id, Source.content_hash == result.content_hash)
        found = Source(
            project_id=run.project_id, run_id=run.id, kept_sha256=session.scalars(same).first(),
            **result.model_dump(exclude={"ledger"}),
        )  # fmt: skip
        session.add(found)
        session.flush()
    found.created_at = now()
    run.result = (run.result or {}) | {"source_id": found.id}
    return ()
