"""Stages 7 and 8."""

from brewslm.reasons.base import Reason, Severity, Stage


class TrainingCompleted(Reason, stage=Stage.TRAINING, severity=Severity.INFO):
    """An experiment was trained to its end."""

    experiment_id: str
    backend: str
    final_train_loss: float
    best_dev_loss: float | None
    steps: int
    trained_rows: int
    real_tokens_per_second: float
    adapter_sha256: str
    base_sha256: str
    manifest_version: int
    ledger: dict[str, int]
    warnings: list[str]
    """Codes of preflight findings that fail-open mode let pass."""


class TrainingResumed(Reason, stage=Stage.TRAINING, severity=Severity.WARNING):
    """A training run that had been cut off went on from its last complete checkpoint."""

    experiment_id: str
    attempt: int
    from_step: int


class TrainingFailure(Reason):
    """What every failure of training says."""

    experiment_id: str
    error: str
    last_step: int | None = None


class TrainingOom(
    TrainingFailure,
    stage=Stage.TRAINING,
    severity=Severity.ERROR,
    remedy="Resume with a smaller --batch-size, or close what else uses memory.",
):
    """Training ran out of memory."""


class TrainingRuntimeError(
    TrainingFailure,
    stage=Stage.TRAINING,
    severity=Severity.ERROR,
    remedy="Read the run's log.txt; then resume with brewslm train --resume.",
):
    """Training crashed or was killed from outside."""


class TrainingTimeout(
    TrainingFailure, stage=Stage.TRAINING, severity=Severity.ERROR, remedy="Resume with a larger --timeout-minutes."
):
    """Training took longer than its time limit."""


class TrainingCancelled(
    TrainingFailure, stage=Stage.TRAINING, severity=Severity.WARNING, remedy="Resume with brewslm train --resume."
):
    """Training was cancelled by a person."""


class TrainingDispatchError(
    TrainingFailure,
    stage=Stage.TRAINING,
    severity=Severity.ERROR,
    status=409,
    remedy="Mend the blockers that brewslm preflight lists, or let warnings pass with --fail-open.",
):
    """Training was not started."""

    blockers: list[str] = []
    """Codes of the preflight findings that block."""
