"""Stage 4, map.commit: the rows are appended to the project's synthetic JSONL."""

import hashlib
from collections.abc import Sequence

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.media import MediaFolder
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.ingestion import DatasetImportRun
from brewslm.rows import Ledger, RowFile
from brewslm.stages.contract import Result
from brewslm.stages.mapping.job import ROW_FILE, Drawn, MapJob, MapRequest
from brewslm.stages.mapping.rows import checked_mapper, map_rows
from brewslm.store.tables import Import, ImportConfig, RowFileState, Run


class CommitRequest(MapRequest):
    """Map a source that was ingested, and append its rows to the project's synthetic JSONL."""


class CommitResult(Result):
    """What was appended. It holds no row's text: the rejected rows stand in `rejected_path`.

    Attributes:
        source_rows, drawn: How many rows the source has, and which of them were mapped: "all", a seeded "sample" or the "head".
        labels: Of a classification, each label's accepted rows.
        notes: What a person should know before going on.
        written_path, rejected_path: Relative to the project's folder.
        start_byte, committed_bytes: The rows' place in the synthetic file, which ends with them.
    """

    ledger: Ledger
    locator: str
    mapper_id: str
    target_task_profile: str
    field_map: dict[str, str]
    drop_reasons: list[str]
    forced: bool
    confidence: float | None
    source_id: int
    source_rows: int
    drawn: Drawn
    accepted_count: int
    rejected_count: int
    rejection_counts: dict[str, int]
    labels: dict[str, int]
    notes: list[str]
    written_path: str
    rejected_path: str
    start_byte: int
    committed_bytes: int
    gold: bool = False
    parent_import: str | None = None


def run(job: MapJob, context: Context) -> CommitResult:
    """Append accepted and rejected rows. They count from the moment that `record` writes the new length, and not before.

    Raises:
        StageError: As `checked_mapper`; then nothing was opened.
    """
    mapper = checked_mapper(job)
    synthetic, rejections = RowFile(job.synthetic), RowFile(job.rejected)
    media = MediaFolder(job.synthetic.parents[1], job.media_from)
    try:
        with synthetic.append(job.committed_bytes) as accepted, rejections.append(0) as rejected:
            mapped = map_rows(job, mapper, context, accepted, rejected, job.keys, media)
    except BaseException:
        media.take_back()
        raise
    request, ledger = job.request, mapped.ledger
    return CommitResult(
        ledger=ledger,
        locator=request.locator,
        mapper_id=request.mapper,
        target_task_profile=mapper.task_profile,
        field_map=request.field_map,
        drop_reasons=[reason.value for reason in request.drop_reasons],
        forced=request.forced,
        confidence=request.confidence,
        source_id=job.source_id,
        source_rows=job.source_rows,
        drawn=job.drawn,
        accepted_count=ledger.rows_out,
        rejected_count=ledger.rejected_count,
        rejection_counts=ledger.rejected,
        labels=dict(mapped.labels.most_common()),
        notes=mapped.notes(),
        written_path=job.written_path,
        rejected_path=f"rejected/{job.run_id}.jsonl",
        start_byte=job.committed_bytes,
        committed_bytes=accepted.length,
        gold=request.gold,
        parent_import=request.parent_import,
    )


def record(result: CommitResult, session: Session, run: Run) -> Sequence[Reason]:
    """Write the new length of the synthetic JSONL and the mapping that was used, and tell of the import."""
    assert run.project_id is not None
    state = session.get(RowFileState, (run.project_id, ROW_FILE))
    if state is None:
        state = RowFileState(project_id=run.project_id, name=ROW_FILE, committed_bytes=0, row_count=0)
        session.add(state)
    state.committed_bytes = result.committed_bytes
    state.row_count += result.accepted_count
    config_id = _config(result, session, run.project_id)
    session.add(
        Import(
            run_id=run.id, project_id=run.project_id, source_id=result.source_id, config_id=config_id,
            parent_import=result.parent_import, start_byte=result.start_byte, end_byte=result.committed_bytes,
            accepted_count=result.accepted_count, rejected_count=result.rejected_count, is_gold=result.gold,
        )
    )  # fmt: skip
    run.result = (run.result or {}) | {"config_id": config_id}
    return (
        DatasetImportRun(
            source=result.locator,
            mapper=result.mapper_id,
            accepted_count=result.accepted_count,
            rejected_count=result.rejected_count,
            rejection_counts=result.rejection_counts,
            written_path=result.written_path,
            config_id=config_id,
            forced=result.forced,
            confidence=result.confidence,
        ),
    )


def _config(result: CommitResult, session: Session, project_id: int) -> int:
    """The number of this mapping, which is the same each time that it is used again."""
    parts = {
        "locator": result.locator,
        "mapper": result.mapper_id,
        "field_map": result.field_map,
        "drop_reasons": result.drop_reasons,
    }
    key = hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
    found = session.scalar(select(ImportConfig).where(ImportConfig.project_id == project_id, ImportConfig.key == key))
    if found is None:
        found = ImportConfig(project_id=project_id, key=key, **parts)
        session.add(found)
        session.flush()
    return found.id
