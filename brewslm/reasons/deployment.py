"""Stage 11."""

from brewslm.reasons.base import Reason, Severity, Stage


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


class ModelServerRestarted(Reason, stage=Stage.DEPLOYMENT, severity=Severity.WARNING):
    """A model server died and was started again."""

    deployment_version_id: int
    server_exit_code: int | None


class DeploymentFailure(Reason):
    """What every refused or failed deployment says."""

    deployment_version_id: int | None
    slot: str
    error: str


class DeploymentSmokeFailed(
    DeploymentFailure,
    stage=Stage.DEPLOYMENT,
    severity=Severity.ERROR,
    remedy="Read the model server's log; the slot was not moved.",
):
    """The live model did not start, or did not answer as the exported one did."""


class DeploymentPromoteBlocked(
    DeploymentFailure,
    stage=Stage.DEPLOYMENT,
    severity=Severity.WARNING,
    status=409,
    exit_code=3,
    remedy="Evaluate the experiment, and look at which gates it missed.",
):
    """A version was not promoted, because its evaluation does not allow it."""


class DeploymentRollbackNoPredecessor(
    DeploymentFailure, stage=Stage.DEPLOYMENT, severity=Severity.WARNING, status=409, remedy="Promote another version instead."
):
    """There is no earlier version to go back to."""
