"""The one loop of stages 3 and 4: every row of the source is written to the accepted or to the rejected rows."""

from typing import Any

from brewslm.errors import StageError
from brewslm.mappers import Mapper, mapper_of
from brewslm.processes.context import Context
from brewslm.reasons.refusals import SourceChanged
from brewslm.rows import Ledger, LedgerKeeper, RawRow, RejectedRow, RowReason, SentinelRow, TransformedRow, content_key
from brewslm.rows.dryrun import RowSink
from brewslm.sources import CONNECTORS
from brewslm.stages.mapping.job import MapJob
from brewslm.store.files import sha256


def checked_mapper(job: MapJob) -> Mapper:
    """The job's mapper, once source and columns are known to be right: before any file is opened for writing.

    Raises:
        StageError(SourceChanged): The kept copy is gone, or not what was ingested.
        StageError(ColumnMissing): The field map names a column that the source does not have.
    """
    mapper = mapper_of(job.request.mapper, job.request.field_map)
    found = sha256(job.source_path) if job.source_path.exists() else None
    if found != job.content_hash:
        cause = "it is gone" if found is None else "its SHA-256 differs"
        raise StageError(SourceChanged(), where=f"sources/{job.source_path.name}", cause=cause)
    mapper.check_columns(CONNECTORS[job.scheme].columns(job.source_path))
    return mapper


def map_rows(job: MapJob, mapper: Mapper, context: Context, accepted: RowSink, rejected: RowSink) -> Ledger:
    """Map the kept source, each row to one of two places.

    Args:
        accepted, rejected: Row files to append to, or what counts and samples in their place.
    """
    ledger = LedgerKeeper()
    rows = CONNECTORS[job.scheme].rows(job.source_path, job.content_hash, job.request.limit)
    for row in context.track(rows, job.total, "rows"):
        ledger.enter()
        outcome = mapper.map_row(row)
        if isinstance(outcome, TransformedRow):
            key = content_key(outcome.payload)
            if accepted.is_new(outcome.row_id, key):
                ledger.accept()
                accepted.write(_accepted_line(outcome, mapper, job), key)
                continue
            outcome = _duplicate(row)
        ledger.reject(outcome.reason)
        rejected.write(_rejected_line(outcome))
    return ledger.closed()


def _duplicate(row: RawRow | SentinelRow) -> RejectedRow:
    raw = row.values if isinstance(row, RawRow) else {}
    return RejectedRow(row.row_id, row.position, RowReason.DUPLICATE_ROW, "the project has this row already", raw)


def _accepted_line(row: TransformedRow, mapper: Mapper, job: MapJob) -> dict[str, Any]:
    return {
        "row_id": row.row_id,
        "task_profile": mapper.task_profile,
        "payload": row.payload,
        "source_id": job.source_id,
        "position": row.position,
        "mapper": mapper.id,
        "import_run": job.run_id,
    }


def _rejected_line(row: RejectedRow) -> dict[str, Any]:
    return {
        "row_id": row.row_id,
        "position": row.position,
        "reason": row.reason.value,
        "detail": row.detail,
        "raw": row.raw,
    }
