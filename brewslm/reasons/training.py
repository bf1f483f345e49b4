"""Stages 7 and 8."""

from enum import StrEnum

from brewslm.reasons.base import FailedRun, Reason, Severity, Stage


class TrainingCompleted(Reason, stage=Stage.TRAINING, severity=Severity.INFO):
    """An experiment was trained to its end."""

    experiment_id: str
    backend: str
    method: str = "lora"
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
    """Codes of preflight findings that did not stop it."""
    forced: bool = False
    """Blockers were among them, and fail-open mode let them pass."""


class TrainingResumed(
    Reason,
    stage=Stage.TRAINING,
    severity=Severity.WARNING,
    causes=("the process was killed", "the machine was restarted", "the run had been paused or cancelled"),
):
    """A training run that had been cut off went on from its last complete checkpoint."""

    experiment_id: str
    attempt: int
    from_step: int


class TrainingRetriedSmaller(
    Reason,
    stage=Stage.TRAINING,
    severity=Severity.WARNING,
    causes=("the rows are longer than preflight's estimate", "another program took memory"),
):
    """Training ran out of memory, and began again with fewer tokens in one pass and the same rows in each step."""

    experiment_id: str
    attempt: int
    from_pack_tokens: int
    to_pack_tokens: int


class TrainingStoppedEarly(Reason, stage=Stage.TRAINING, severity=Severity.INFO):
    """Training ended before its last step, for the dev loss had stopped falling."""

    experiment_id: str
    at_step: int
    planned_steps: int
    best_step: int
    patience: int


class CheckpointDamaged(
    Reason,
    stage=Stage.TRAINING,
    severity=Severity.WARNING,
    causes=("the machine lost power while it was written", "the file was changed or the disk has errors"),
):
    """A checkpoint is not as it was written; training went on from an older one that is."""

    experiment_id: str
    checkpoint: str
    file: str


class TraceSinkLost(
    Reason,
    stage=Stage.TRAINING,
    severity=Severity.WARNING,
    remedy="The run's trace.jsonl has every figure; look into the run's log.txt for what the other tool said.",
    causes=("the other tool's server is down", "its folder can't be written"),
):
    """TensorBoard or MLflow could no longer be told the trace; training went on without it."""

    experiment_id: str
    sink: str
    error: str


class TrainingReproduced(Reason, stage=Stage.TRAINING, severity=Severity.INFO):
    """An experiment was trained again from its record, to the same weights, byte by byte."""

    experiment_id: str
    adapter_sha256: str


class TrainingNotReproduced(
    Reason,
    stage=Stage.TRAINING,
    severity=Severity.WARNING,
    remedy="Compare the machines, the number of threads and the versions: results are only equal on like ones.",
    causes=("another processor, number of threads or version of a library",),
):
    """An experiment was trained again from its record, to other weights."""

    experiment_id: str
    adapter_sha256: str
    expected_sha256: str
    first_step: int | None
    """The first step whose loss, gradient norm or rows differ; none when all that were kept are equal."""
    differs: list[str] = []
    """What of the environment is otherwise than it was: threads, precision, versions, the CPU's capability."""


class TrainingFailure(FailedRun):
    """What every failure of training says."""

    experiment_id: str
    error: str
    last_step: int | None = None


class Guard(StrEnum):
    """What must never pass as a success."""

    LOSS_ZERO = "loss_zero"
    LOSS_NOT_FINITE = "loss_not_finite"
    GRADIENT_ZERO = "gradient_zero"
    GRADIENT_NOT_FINITE = "gradient_not_finite"
    END_NOT_SUPERVISED = "end_not_supervised"
    ADAPTER_UNCHANGED = "adapter_unchanged"


class TrainingOom(
    TrainingFailure,
    stage=Stage.TRAINING,
    severity=Severity.ERROR,
    remedy="Close what else uses memory and resume; or train again with a smaller --set max_length=….",
    causes=("the batch or the rows are too long for this machine", "another program took memory"),
):
    """Training ran out of memory."""


class TrainingRuntimeError(
    TrainingFailure,
    stage=Stage.TRAINING,
    severity=Severity.ERROR,
    remedy="Read the run's log.txt; then resume with brewslm train --resume.",
    causes=(
        "the process was killed from outside",
        "rows that teach nothing, such as empty completions",
        "a learning rate that makes the loss overflow",
    ),
):
    """Training crashed, was killed from outside, or was stopped by a guard because it could teach nothing right."""

    guard: Guard | None = None
    """Which guard stopped it."""


class TrainingTimeout(
    TrainingFailure,
    stage=Stage.TRAINING,
    severity=Severity.ERROR,
    remedy="Resume with a larger --timeout-minutes.",
    causes=("the time limit is shorter than preflight's estimate", "another heavy program shared the machine"),
):
    """Training took longer than its time limit."""


class TrainingCancelled(
    TrainingFailure,
    stage=Stage.TRAINING,
    severity=Severity.WARNING,
    remedy="Resume with brewslm train --resume.",
    causes=("a person asked for it", "Ctrl-C in the command that trains"),
):
    """Training was cancelled by a person."""


class TrainingPaused(TrainingFailure, stage=Stage.TRAINING, severity=Severity.INFO, remedy="brewslm train --resume goes on."):
    """Training was paused by a person; a checkpoint keeps where it was."""


class CheckpointMismatch(
    TrainingFailure,
    stage=Stage.TRAINING,
    severity=Severity.ERROR,
    status=409,
    remedy="Start a new run: what was trained so far belongs to other settings, rows or weights.",
    causes=("settings, rows or base model were changed between the runs",),
):
    """A resume was refused, for its checkpoint was made from something else."""

    changed: list[str] = []
    """Which: recipe, manifest, base_model."""


class TrainingDispatchError(
    TrainingFailure,
    stage=Stage.TRAINING,
    severity=Severity.ERROR,
    status=409,
    remedy="Mend the blockers that brewslm preflight lists, or let warnings pass with --fail-open.",
    causes=("preflight found what blocks: `blockers` names it", "the manifest or the base model is gone"),
):
    """Training was not started."""

    blockers: list[str] = []
    """Codes of the preflight findings that block."""
