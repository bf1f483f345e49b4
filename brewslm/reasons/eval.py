"""Stage 9."""

from brewslm.reasons.base import Reason, Severity, Stage


class EvaluationCompleted(Reason, stage=Stage.EVAL, severity=Severity.INFO):
    """An experiment was measured on the held-out rows, beside its base and the baselines."""

    experiment_id: str
    eval_pack: str
    metric: str
    n: int
    tuned: float
    tuned_interval: tuple[float, float]
    base: float
    base_interval: tuple[float, float]
    gates_met: int
    gates: int
    promotable: bool
    error_clusters: int = 0
    slices_worse: int = 0


class EvaluationFailure(Reason):
    """What every failure of an evaluation says."""

    experiment_id: str
    error: str


class EvalRuntimeError(
    EvaluationFailure, stage=Stage.EVAL, severity=Severity.ERROR, remedy="Read the run's log.txt and evaluate again."
):
    """The evaluation crashed or was stopped."""


class EvalDatasetMissing(
    EvaluationFailure, stage=Stage.EVAL, severity=Severity.ERROR, status=409, remedy="Prepare again, and train on that manifest."
):
    """The held-out rows are gone, empty, or not those that the manifest froze."""
