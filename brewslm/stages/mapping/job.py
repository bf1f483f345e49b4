"""What a mapping is asked to do, and the frozen job that both stages run."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from brewslm.errors import StageError
from brewslm.mappers import mapper_of
from brewslm.reasons.refusals import SourceNotFound
from brewslm.rows import RowReason, Span
from brewslm.rows.identity import id_parts
from brewslm.sources import Locator, connector_of, names_a_path
from brewslm.stages.contract import Job, ProjectRequest
from brewslm.store.records import Records
from brewslm.store.tables import Import, Source

ROW_FILE = "synthetic"
SYNTHETIC_PATH = "synthetic/synthetic.jsonl"
KEYS_FOLDER = "synthetic/keys"


class MapRequest(ProjectRequest):
    """Map a source that was ingested.

    Attributes:
        content_hash: Which of its contents; the newest when left out.
        field_map: Field to column, and option to value.
        limit: So many rows, drawn over the whole source.
        drop_reasons: Rows rejected for these reasons are left out of the sample that is shown; the counts stay.
        forced: Somebody accepted a proposal under 0.80.
        confidence: The proposal's; None for a mapping that a person named.
        gold: They are a gold set, never to be trained on.
        parent_import: The import whose rejected rows these are, mended.
    """

    locator: Locator
    mapper: str
    field_map: dict[str, str]
    content_hash: str | None = None
    limit: int | None = Field(default=None, ge=1)
    drop_reasons: list[RowReason] = []
    forced: bool = False
    confidence: float | None = None
    gold: bool = False
    parent_import: str | None = None

    @field_validator("drop_reasons")
    @classmethod
    def _sorted(cls, reasons: list[RowReason]) -> list[RowReason]:
        return sorted(set(reasons))


Drawn = Literal["all", "sample", "head"]


class EarlierImport(BaseModel):
    """An import whose rows are in the project: what is new is held against them.

    Attributes:
        span: Its bytes in the synthetic file.
        keys: The file of its rows' content hashes.
    """

    model_config = ConfigDict(frozen=True)

    span: Span
    rows: int
    keys: Path


class MapJob(Job):
    """All that mapping needs. Paths of row files are absolute, `written_path` is relative to the project's folder.

    Attributes:
        source_rows: Rows of the kept source, sentinels among them.
        drawn: "all" of them; a "sample" over all of them; or the "head", where the kept copy is no more than that.
        total: How many are mapped.
        spans: Bytes of the synthetic file that count: neither cut off nor undone.
        kept_sha256: Of the kept copy: it is not `content_hash` where rows of it were forgotten.
        forgotten: Their positions; none of them is taken in again.
        forgotten_contents: Hashes of what forgotten rows of the project said, whichever source they came from.
        media_from: The folder that paths of pictures and recordings start from; None where the source is no local file.
    """

    request: MapRequest
    run_id: str
    source_id: int
    scheme: str
    content_hash: str
    source_path: Path
    source_rows: int
    drawn: Drawn
    total: int
    synthetic: Path
    committed_bytes: int
    spans: list[Span]
    earlier: list[EarlierImport]
    keys: Path
    rejected: Path
    kept_sha256: str | None = None
    forgotten: list[int] = []
    forgotten_contents: list[str] = []
    media_from: Path | None = None
    written_path: str = SYNTHETIC_PATH


def resolve(request: MapRequest, records: Records) -> MapJob:
    """Find the kept source and the committed length of the rows it will be appended to.

    Raises:
        StageError(UnknownScheme, UnknownMapper, InvalidRequest, ColumnMissing): The request can't be meant so.
        StageError(SourceNotFound): The locator was not ingested into this project.
    """
    connector_of(request.locator)
    mapper_of(request.mapper, request.field_map)
    source = records.source(request.locator, request.content_hash)
    if source is None:
        next_step = f"Run brewslm ingest --project {request.project} --locator {request.locator} first."
        raise StageError(SourceNotFound(), where=request.locator, cause="it was not ingested", next_step=next_step)
    return _job(request, records, source)


def _job(request: MapRequest, records: Records, source: Source) -> MapJob:
    rows = source.row_count + sum(source.sentinel_counts.values())
    total = min(rows, request.limit or rows)
    keys, forgotten = records.folder / KEYS_FOLDER, records.forgotten()
    return MapJob(
        request=request,
        run_id=records.run_id,
        source_id=source.id,
        scheme=source.scheme,
        content_hash=source.content_hash,
        source_path=records.folder / source.path,
        source_rows=rows,
        drawn="head" if not source.is_whole else "all" if total == rows else "sample",
        total=total,
        synthetic=records.folder / SYNTHETIC_PATH,
        committed_bytes=records.row_file(ROW_FILE).committed_bytes,
        spans=records.live_spans(),
        earlier=[
            EarlierImport(span=(one.start_byte, one.end_byte), rows=one.accepted_count, keys=keys / f"{one.run_id}.keys")
            for one in records.live_imports()
        ],
        keys=keys / f"{records.run_id}.keys",
        rejected=records.folder / "rejected" / f"{records.run_id}.jsonl",
        kept_sha256=source.kept_sha256,
        forgotten=[position for prefix, position in map(id_parts, forgotten) if prefix == f"r{source.content_hash[:16]}"],
        forgotten_contents=sorted({key for key in forgotten.values() if key}),
        media_from=_media_folder(request, records),
    )


def _media_folder(request: MapRequest, records: Records) -> Path | None:
    """The folder of the source's file; of mended rows, that of the source which they were rejected from."""
    locator, parent = request.locator, request.parent_import
    while parent is not None:
        earlier = records.session.get_one(Import, parent)
        locator, parent = records.session.get_one(Source, earlier.source_id).locator, earlier.parent_import
    scheme, _, reference = locator.partition(":")
    return Path(reference).parent if names_a_path(scheme) else None
