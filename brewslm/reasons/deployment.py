"""Stage 11."""

from brewslm.reasons.base import FailedRun, Reason, Severity, Stage


class DeploymentChanged(Reason, stage=Stage.DEPLOYMENT, severity=Severity.INFO):
    """A deployment version was created, promoted, rejected or rolled back."""

    action: str
    deployment_version_id: int
    slot: str
    actor: str
    before: str | None
    """What the slot or the version was, such as v1 or pending."""
    after: str | None


class SlotSettingsChanged(Reason, stage=Stage.DEPLOYMENT, severity=Severity.INFO):
    """What a slot's gateway is set to was changed: its queue, its patience or its request log."""

    slot: str
    actor: str
    before: dict[str, int | float | bool]
    after: dict[str, int | float | bool]


class ModelServerRestarted(
    Reason,
    stage=Stage.DEPLOYMENT,
    severity=Severity.WARNING,
    causes=("it ran out of memory", "it was killed from outside", "a fault in the model server"),
):
    """A model server died and was started again."""

    deployment_version_id: int
    server_exit_code: int | None


class DeploymentFailure(FailedRun):
    """What every refused or failed deployment says."""

    deployment_version_id: int | None
    slot: str
    error: str


class DeploymentSmokeFailed(
    DeploymentFailure,
    stage=Stage.DEPLOYMENT,
    severity=Severity.ERROR,
    remedy="Read the model server's log; the slot was not moved.",
    causes=(
        "the model does not fit into memory",
        "the file was changed after its export",
        "the target runs another version of the model server",
    ),
):
    """The live model did not start, or did not answer as the exported one did."""


class DeploymentPromoteBlocked(
    DeploymentFailure,
    stage=Stage.DEPLOYMENT,
    severity=Severity.WARNING,
    status=409,
    exit_code=3,
    remedy="Evaluate the experiment, and look at which gates it missed.",
    causes=("a required gate was missed", "the experiment was not evaluated with a pack that promotes"),
):
    """A version was not promoted, because its evaluation does not allow it."""


class DeploymentRollbackNoPredecessor(
    DeploymentFailure,
    stage=Stage.DEPLOYMENT,
    severity=Severity.WARNING,
    status=409,
    remedy="Promote another version instead.",
    causes=("the version is the first of its slot", "the version before it was rolled back itself"),
):
    """There is no earlier version to go back to."""


class DeploymentChecked(Reason, stage=Stage.DEPLOYMENT, severity=Severity.INFO):
    """A drift check asked a live version its rows again; or for the first time, as the reference of those to come."""

    deployment_version_id: int
    slot: str
    look: int
    """How many checks of this version there were, with this one."""
    verdict: str
    metric: str
    rows_from: str
    n: int
    before: float
    now: float
    p_value: float


class DeploymentDriftDetected(
    Reason,
    stage=Stage.DEPLOYMENT,
    severity=Severity.ERROR,
    remedy="See brewslm deploy checks for the rows that got worse; brewslm deploy rollback lets the version before it answer.",
    causes=("the rows changed since training", "another model or other settings answer at the endpoint"),
):
    """A live version answers its rows worse than it did when it was promoted."""

    deployment_version_id: int
    slot: str
    metric: str
    rows_from: str
    n: int
    before: float
    now: float
    worse: int
    """Rows that got worse; `better` is how many got better."""
    better: int
    p_value: float
    alpha: float
    """What the p-value was held against."""
    tolerance: float


class DeploymentCheckFailed(
    FailedRun,
    stage=Stage.DEPLOYMENT,
    severity=Severity.ERROR,
    remedy="See that brewslm serve runs, then check again; nothing was rolled back.",
    causes=("brewslm serve does not run", "the endpoint is slow or down", "the gold set or the reference was moved"),
):
    """A drift check could not be made: the version did not answer, or its rows or reference can't be had."""

    deployment_version_id: int
    problem: str
    """The code of what stopped it, or the cause, such as crashed."""
    error: str


class DeploymentScheduled(Reason, stage=Stage.DEPLOYMENT, severity=Severity.INFO):
    """The drift checks of a slot were scheduled, paused, resumed or given up."""

    action: str
    slot: str
    cron: str
    timezone: str
    actor: str
