"""Stage 3, the dry run: the commit without the write. A read: it writes neither row nor event."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.media import MediaFolder
from brewslm.processes.context import Context
from brewslm.rows import Ledger
from brewslm.rows.dryrun import AcceptedSample, RejectedSample
from brewslm.stages.mapping.job import Drawn, MapJob
from brewslm.stages.mapping.rows import checked_mapper, map_rows

SAMPLE_CAP = 5
REJECTED_PER_REASON = 2


class Preview(BaseModel):
    """What a commit would do.

    Attributes:
        rejection_counts: Reason to rows, over the whole source (or the `limit` rows that were drawn from it).
        source_rows, drawn, labels, notes: As of a commit.
        accepted_sample: The first rows that would be appended.
        rejected_sample: The first rows of each reason that is not dropped.
    """

    model_config = ConfigDict(frozen=True)

    dry_run: bool = True
    locator: str
    mapper_id: str
    target_task_profile: str
    field_map: dict[str, str]
    forced: bool
    confidence: float | None
    source_rows: int
    drawn: Drawn
    accepted_count: int
    rejected_count: int
    rejection_counts: dict[str, int]
    labels: dict[str, int]
    notes: list[str]
    written_path: str
    accepted_sample: list[dict[str, Any]]
    rejected_sample: list[dict[str, Any]]
    ledger: Ledger


def preview(job: MapJob, context: Context, rejected_per_reason: int = REJECTED_PER_REASON) -> Preview:
    """Map the source without writing.

    Args:
        rejected_per_reason: So many rows of each reason are shown.

    Raises:
        StageError: As `checked_mapper`.
    """
    mapper = checked_mapper(job)
    accepted, rejected = AcceptedSample(SAMPLE_CAP), RejectedSample(rejected_per_reason, job.request.drop_reasons)
    mapped = map_rows(job, mapper, context, accepted, rejected, context.folder / job.keys.name, MediaFolder(None, job.media_from))
    request, ledger = job.request, mapped.ledger
    return Preview(
        locator=request.locator,
        mapper_id=request.mapper,
        target_task_profile=mapper.task_profile,
        field_map=request.field_map,
        forced=request.forced,
        confidence=request.confidence,
        source_rows=job.source_rows,
        drawn=job.drawn,
        accepted_count=ledger.rows_out,
        rejected_count=ledger.rejected_count,
        rejection_counts=ledger.rejected,
        labels=dict(mapped.labels.most_common()),
        notes=mapped.notes(),
        written_path=job.written_path,
        accepted_sample=accepted.sample,
        rejected_sample=rejected.sample,
        ledger=ledger,
    )
