"""Stage 9."""

from brewslm.reasons.base import FailedRun, Reason, Severity, Stage


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


class EvaluationFailure(FailedRun):
    """What every failure of an evaluation says."""

    experiment_id: str
    error: str


class EvalRuntimeError(
    EvaluationFailure,
    stage=Stage.EVAL,
    severity=Severity.ERROR,
    remedy="Read the run's log.txt and evaluate again.",
    causes=("memory ran out", "the run was cancelled or killed", "a fault in a metric or a model"),
):
    """The evaluation crashed or was stopped."""


class EvalDatasetMissing(
    EvaluationFailure,
    stage=Stage.EVAL,
    severity=Severity.ERROR,
    status=409,
    remedy="Prepare again, and train on that manifest.",
    causes=("the prepared files were moved, deleted or changed", "the split is empty"),
):
    """The held-out rows are gone, empty, or not those that the manifest froze."""


class EvalJudgeUnavailable(
    EvaluationFailure,
    stage=Stage.EVAL,
    severity=Severity.ERROR,
    status=502,
    remedy="Check the judge's address, model and BREWSLM_JUDGE_API_KEY, and evaluate again; the other figures stand.",
    causes=("the judge's address or key is wrong", "its server is down or slow", "the model answers what is no verdict"),
):
    """The judge could not be reached, did not answer in time, or answered what is no verdict."""

    judge: str
    """Its host."""
    model: str
    judged: int
    """Answers that it had judged by then; their verdicts were not used."""


class GoldSetDrafted(Reason, stage=Stage.EVAL, severity=Severity.INFO):
    """A version of a gold set was opened; people may draw and review rows for it."""

    gold_set: str
    """Such as "support@2"."""
    rows: int
    """Taken over from the version before it."""


class GoldRowsImported(Reason, stage=Stage.EVAL, severity=Severity.INFO):
    """Rows were drawn into the draft of a gold set."""

    gold_set: str
    source: str
    seed: int
    ledger: dict[str, int]


class GoldRowsReviewed(Reason, stage=Stage.EVAL, severity=Severity.INFO):
    """A person judged rows of a gold set."""

    gold_set: str
    reviewer: str
    settled: bool
    verdicts: dict[str, int]
    """Rows by verdict."""


class GoldSetLocked(Reason, stage=Stage.EVAL, severity=Severity.INFO):
    """A version of a gold set was frozen: from now on prepare keeps its rows out of train."""

    gold_set: str
    sha256: str
    rows: int
    rejected: int
    reviewers: int
    kappa: float | None
    """The lowest of any two reviewers; None where there is none."""


class GoldSetChanged(
    FailedRun,
    stage=Stage.EVAL,
    severity=Severity.ERROR,
    status=409,
    remedy="Put the file back as it was locked, or lock a new version: brewslm gold draft.",
    causes=("its file was edited by hand", "the project's folder was copied in part"),
):
    """A locked gold set is not what was locked."""

    gold_set: str
    file: str
    expected_sha256: str
    found_sha256: str | None


class GoldSetTrained(
    FailedRun,
    stage=Stage.EVAL,
    severity=Severity.ERROR,
    status=409,
    remedy="Prepare again, which keeps the gold set's rows out, and train on that manifest.",
    causes=("the gold set was locked after the manifest was frozen", "a source holds the same rows under other ids"),
):
    """Rows of the gold set stand in the train split of the experiment, so its figure would be flattered."""

    gold_set: str
    experiment_id: str
    same_rows: int
    equal_texts: int
    near_duplicates: int
