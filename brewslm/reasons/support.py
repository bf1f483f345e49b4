"""Support bundles, and rows that are forgotten."""

from brewslm.reasons.base import Reason, Refusal, Severity, Stage


class SupportBundleMade(Reason, stage=Stage.SYSTEM, severity=Severity.INFO):
    """A support bundle was written: runs, events, versions, environment and logs, redacted and without any row's text."""

    sha256: str
    size_bytes: int
    files: int
    left_out: int
    redactions: dict[str, int]
    of_run: str | None = None


class RowForgotten(Reason, stage=Stage.SYSTEM, severity=Severity.WARNING):
    """The text of rows was removed from the project; models that were trained on them can't forget, and are named.

    Attributes:
        changed: Files that are known by their hash: path, old_sha256, new_sha256.
    """

    row_ids: list[str]
    document: int | None
    files: int
    changed: list[dict[str, str]]
    manifests: list[str]
    experiments: list[str]
    evaluations: list[str]
    exports: list[str]
    deployments: list[str]
    gold_sets: list[str]


class LinkInvalid(
    Refusal, stage=Stage.SYSTEM, severity=Severity.ERROR, status=403, remedy="Ask for a new link: brewslm support link."
):
    """The link was not made here, or is for another file."""


class LinkExpired(
    Refusal, stage=Stage.SYSTEM, severity=Severity.ERROR, status=410, remedy="Ask for a new link: brewslm support link."
):
    """The link was good for a day, and that is over."""
