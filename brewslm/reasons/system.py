"""What concerns no one stage."""

from brewslm.reasons.base import FailedRun, Reason, Refusal, Severity, Stage


class AutopilotStopped(
    FailedRun,
    stage=Stage.AUTOPILOT,
    severity=Severity.ERROR,
    remedy="Read the named run's problem, mend it, and start autopilot again.",
):
    """Autopilot ended before its last stage."""

    at: str
    """The operation that stopped it."""
    problem: str
    error: str


class ExtensionLoadFailed(Reason, stage=Stage.SYSTEM, severity=Severity.WARNING, remedy="Mend or uninstall the plugin."):
    """A plugin could not be loaded; everything else works without it."""

    entry_point: str
    error: str


class ToolchainInstalled(Reason, stage=Stage.SYSTEM, severity=Severity.INFO):
    """The pinned environment of programs that can't share ours is there, and passed its check."""

    toolchain: str
    definition_sha256: str
    packages: int
    size_bytes: int


class OperationFailed(
    FailedRun, stage=Stage.SYSTEM, severity=Severity.ERROR, status=500, remedy="Read the run's log.txt, and report it."
):
    """An operation that has no reason code of its own crashed."""

    operation: str
    error: str


class RequestFailed(
    Refusal, stage=Stage.SYSTEM, severity=Severity.ERROR, status=500, remedy="Read the server's log, and report it."
):
    """The server could not answer, by a fault of its own."""

    error: str
