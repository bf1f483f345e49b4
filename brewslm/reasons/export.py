"""Stage 10."""

from brewslm.reasons.base import FailedRun, Reason, Severity, Stage


class ExportCompleted(Reason, stage=Stage.EXPORT, severity=Severity.INFO):
    """One artifact was written and passed its smoke check."""

    experiment_id: str
    format: str
    output_path: str
    """Relative to the project's folder."""
    file_size_bytes: int
    sha256: str
    quantization: str | None
    agreement: float | None
    """Teacher-forced top-1 agreement with the trained model, 0 to 1."""


class ExportCompared(Reason, stage=Stage.EXPORT, severity=Severity.INFO):
    """The variants of an export were measured on the eval rows, and held against each other."""

    experiment_id: str
    export: str
    metric: str
    n: int
    reference: str
    variants: int
    worse: list[str]
    """Than the reference, by a paired test."""
    recommended: str | None


class ExportFailure(FailedRun):
    """What every failure of an export says."""

    experiment_id: str
    format: str
    error: str


class ExportRunFailed(
    ExportFailure,
    stage=Stage.EXPORT,
    severity=Severity.ERROR,
    remedy="Read the run's log.txt and export again.",
    causes=("memory or disk ran out", "the run was cancelled or killed", "the artifact answers otherwise than the trained model"),
):
    """An export crashed, was stopped, or its artifact disagrees with the trained model."""


class ExportArtifactMissing(
    ExportFailure,
    stage=Stage.EXPORT,
    severity=Severity.ERROR,
    status=409,
    remedy="Resume or repeat the training run first.",
    causes=("the training run has not ended", "its folder was moved or deleted"),
):
    """Something that the export needs or should have written is not there."""


class ExportQuantizationFailed(
    ExportFailure,
    stage=Stage.EXPORT,
    severity=Severity.ERROR,
    remedy="Export without this variant, or read the run's log.txt.",
    causes=("the architecture can't be quantised in this way", "the toolchain is missing or broken", "memory ran out"),
):
    """A quantized file could not be made."""
