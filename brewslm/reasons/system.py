"""What concerns no one stage."""

from brewslm.reasons.base import FailedRun, Reason, Refusal, Severity, Stage


class AutopilotStopped(
    FailedRun,
    stage=Stage.AUTOPILOT,
    severity=Severity.ERROR,
    remedy="Read the named run's problem, mend it, and start autopilot again.",
    causes=("one of its operations was refused or failed: `at` and `problem` name it",),
):
    """Autopilot ended before its last stage."""

    at: str
    """The operation that stopped it."""
    problem: str
    error: str


class PipelineStopped(
    Reason,
    stage=Stage.AUTOPILOT,
    severity=Severity.ERROR,
    remedy="Mend what the named run says, then type the same command again: it goes on where it stopped.",
    causes=("one of its operations was refused or failed: `at` and `problem` name it",),
):
    """A project's pipeline ended before its last part."""

    at: str
    """The operation that stopped it."""
    problem: str
    error: str


class ExtensionLoadFailed(
    Reason,
    stage=Stage.SYSTEM,
    severity=Severity.WARNING,
    remedy="Mend or uninstall the plugin.",
    causes=(
        "the plugin is made for another version",
        "a package that it needs is not installed",
        "its entry point names nothing",
    ),
):
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
    FailedRun,
    stage=Stage.SYSTEM,
    severity=Severity.ERROR,
    status=500,
    remedy="Read the run's log.txt, and report it.",
    causes=("a bug of ours", "the disk or memory ran out", "a file was changed while it was read"),
):
    """An operation that has no reason code of its own crashed."""

    operation: str
    error: str


class RequestFailed(
    Refusal, stage=Stage.SYSTEM, severity=Severity.ERROR, status=500, remedy="Read the server's log, and report it."
):
    """The server could not answer, by a fault of its own."""

    error: str


class EventLost(
    Reason,
    stage=Stage.SYSTEM,
    severity=Severity.CRITICAL,
    remedy="Mend what `errors` names; the events themselves follow this one, marked as late.",
    causes=("the disk was full", "another program held the database's lock for seconds", "the disk or the database hung"),
):
    """Events could not be written when they happened: until now the stream had a gap."""

    batch: str
    """Of the file in which they were kept meanwhile."""
    events: dict[str, int]
    """How many of each reason code."""
    errors: dict[str, int]
    """How many by the type of the error that prevented them."""
    first_at: str
    last_at: str
    unreadable: int = 0
    """Lines of the file that were torn: these events are lost for good."""


class ChainBroken(
    Reason,
    stage=Stage.SYSTEM,
    severity=Severity.CRITICAL,
    remedy="Run brewslm audit verify, and hold the chain against a head that was kept elsewhere.",
    causes=("the database was restored from an older copy", "somebody changed its file", "another home's database stands here"),
):
    """The event stream is not what this home had noted of it."""

    kind: str
    """Such as truncated or rewritten."""
    sequence: int
    event_id: int | None


class LedgerOpen(
    Reason,
    stage=Stage.SYSTEM,
    severity=Severity.CRITICAL,
    status=500,
    remedy="Report it with the run's job.json; nothing of the run was kept.",
    causes=("a bug of ours, or of a plugin: a row was lost or counted twice",),
):
    """The rows that went into a stage are not those that came out and those that were rejected, together."""

    rows_in: int
    rows_out: int
    rejected: dict[str, int]
