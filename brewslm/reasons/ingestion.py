"""Stages 1 to 4. Ingest, introspect and the dry run are reads and write no event; the commit writes one of these."""

from brewslm.reasons.base import FailedRun, Reason, Severity, Stage
from brewslm.reasons.shown import ShownLocator


class DatasetImportRun(Reason, stage=Stage.INGESTION, severity=Severity.INFO):
    """Rows of one source were mapped and appended to the project's synthetic JSONL."""

    source: ShownLocator
    mapper: str
    accepted_count: int
    rejected_count: int
    rejection_counts: dict[str, int]
    written_path: str
    """Relative to the project's folder."""
    config_id: int | None = None
    forced: bool = False
    confidence: float | None = None


class DatasetImportUndone(Reason, stage=Stage.INGESTION, severity=Severity.INFO):
    """An import was undone: its rows count no more, and can be imported again."""

    import_run: str
    source: str
    rows: int


class DatasetImportFailed(
    FailedRun,
    stage=Stage.INGESTION,
    severity=Severity.ERROR,
    remedy="Read `problem`, mend the source or the mapping, and run the import again; nothing of it was kept.",
    causes=("the source is not there or can't be read", "the mapping does not fit its columns", "the disk is full"),
):
    """An import was rolled back: no row of it was appended."""

    source: ShownLocator
    mapper: str | None
    problem: str
    """The code of what went wrong, such as source_not_found."""
    error: str
