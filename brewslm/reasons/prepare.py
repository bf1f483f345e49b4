"""Stage 6."""

from brewslm.reasons.base import FailedRun, Reason, Severity, Stage


class DatasetPrepared(Reason, stage=Stage.PREPARE, severity=Severity.INFO):
    """A data manifest was frozen: what is trained on, and what is held out."""

    manifest_version: int
    manifest_sha256: str
    task_profile: str
    rows: dict[str, int]
    """Rows per split."""
    ledger: dict[str, int]


class DatasetPrepFailed(
    FailedRun,
    stage=Stage.PREPARE,
    severity=Severity.ERROR,
    remedy="Read `problem`, mend it and prepare again.",
    causes=("there are too few rows for the split", "every row has one label", "the disk is full"),
):
    """No manifest was written; the last one stands."""

    problem: str
    error: str


class ManifestActivated(Reason, stage=Stage.PREPARE, severity=Severity.INFO):
    """Another version of the data manifest is used from now on."""

    manifest_version: int
    manifest_sha256: str
    former_version: int | None


class LeakageFound(
    FailedRun,
    stage=Stage.PREPARE,
    severity=Severity.ERROR,
    remedy="Report it: prepare keeps leaks out, so that this is a bug of ours. No manifest was written.",
    causes=("a bug in how the split keeps like rows together",),
):
    """After the split, rows of train were found to stand in eval too."""

    equal_texts: int
    near_duplicates: int


class ManifestMismatch(
    FailedRun,
    stage=Stage.PREPARE,
    severity=Severity.ERROR,
    remedy="Prepare again: a prepared file was changed after its manifest was frozen.",
    causes=("a prepared file was edited by hand", "the project's folder was copied in part"),
):
    """A prepared file is not what its manifest says."""

    manifest_version: int
    file: str
    expected_sha256: str
    found_sha256: str | None
