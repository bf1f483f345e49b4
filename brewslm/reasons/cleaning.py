"""Stage 5."""

from brewslm.reasons.base import FailedRun, Reason, Severity, Stage


class CleaningCompleted(Reason, stage=Stage.CLEANING, severity=Severity.INFO):
    """The project's documents were cleaned and cut into chunks."""

    documents: int
    rejected: dict[str, int]
    chunks: int
    pii_findings: dict[str, int]
    """Count by type; never a value."""
    ledger: dict[str, int]
    preset: str = "documents"
    preset_sha256: str = ""
    pii: str = "redact"


class CleaningFailed(
    FailedRun,
    stage=Stage.CLEANING,
    severity=Severity.ERROR,
    remedy="Read `problem`, mend it and clean again.",
    causes=("a document can't be read", "the disk is full", "the process was killed or cancelled"),
):
    """Cleaning was rolled back: earlier results stand."""

    problem: str
    error: str


class CleaningOutlierThresholdExceeded(
    Reason,
    stage=Stage.CLEANING,
    severity=Severity.WARNING,
    remedy="Look at the named documents before training on them.",
    causes=(
        "documents of several kinds lie in one project",
        "scans whose text was read badly",
        "a folder of logs or tables among prose",
    ),
):
    """Too large a share of documents lies far from the median in quality or length."""

    documents: int
    outliers: int
    share: float
    threshold: float
    document_ids: list[int]
    """The first 100."""


class CleaningPiiBlock(
    FailedRun,
    stage=Stage.CLEANING,
    severity=Severity.ERROR,
    remedy="Take the findings out, or clean with --pii redact or pseudonymise.",
    causes=("the documents hold personal data", "a pattern took a number for a person's"),
):
    """The policy is `block` and a document holds personal data."""

    documents: int | None = None
    document_ids: list[int]
    """The first 100."""
    findings: dict[str, int]
