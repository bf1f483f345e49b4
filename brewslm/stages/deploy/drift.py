"""deploy.check_drift, deploy's part of it: what is asked for, what the answers mean, and what is kept.

How the live model is asked belongs to stage 9; `pipeline/drift.py` puts both together.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.handlers.base import Prediction, Scores, TaskHandler
from brewslm.metrics.drift import DEFAULT, Drift, Rule, compare
from brewslm.metrics.figure import Figure, share
from brewslm.reasons import Reason
from brewslm.reasons.deployment import DeploymentChecked, DeploymentDriftDetected
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows.manifest import PreparedRow
from brewslm.stages.contract import Request, Result
from brewslm.stages.deploy.changes import version_of
from brewslm.store.tables import DriftCheck, DriftReference, Run

Verdict = Literal["reference", "steady", "drifted"]
MOST_NAMED = 20
"""Rows that got worse and are named."""


class CheckRequest(Request):
    """Ask a promoted version what it was asked before, and say whether it has got worse.

    Attributes:
        gold_set: Such as "support" or "support@2"; left out: the one of its task that was locked last, or else its eval rows.
        tolerance: The figure may fall by so much (0.01: one point), and so many of the rows may be lost.
        rollback: Where it has got worse, the version before it shall answer again.
    """

    deployment: int
    gold_set: str | None = None
    tolerance: float = Field(default=DEFAULT.tolerance, ge=0, lt=1)
    rollback: bool = False


class RollbackOutcome(Result):
    """What came of a rollback that a check asked for.

    Attributes:
        state: Of its run; "refused" where none was begun.
        problem: The code of what stopped it.
    """

    run: str | None
    state: str
    problem: str | None = None


class Reference(Result):
    """The answers that a version is held against.

    Attributes:
        taken_from: "file": the exported file, served alone; "live": the endpoint at its first look.
        path: Relative to the project's folder: a line for each row, {row_id, output, …}.
        scoring: How the answers were had.
    """

    rows_sha256: str
    taken_from: Literal["file", "live"]
    path: str
    sha256: str
    scoring: str
    rows: int


class CheckResult(Result):
    """What a check found; figures in the metric's own unit.

    Attributes:
        verdict: "reference" where these answers are the first, and there is nothing to hold them against.
        of: Rows of the set that was asked, of which n were asked.
        told_at: The fewest worse rows that would have said drift, had none got better.
        alpha: What the p-value was held against.
        false_alarms, looks: Of versions that did not change, at most this share is called drifted within so many looks.
        worse_rows: Ids of rows that got worse, the first twenty.
        told: The drift was told before the rollback, in mid-run.
    """

    deployment: int
    version: int
    slot: str
    verdict: Verdict
    reference: Reference
    rows_from: str
    rows_sha256: str
    n: int
    of: int
    metric: str
    before: float
    value: float
    low: float
    high: float
    fall: float
    fall_low: float
    fall_high: float
    worse: int
    better: int
    p_value: float
    alpha: float
    false_alarms: float
    looks: int
    told_at: int
    tolerance: float
    worse_rows: list[str] = []
    rollback: RollbackOutcome | None = None
    told: bool = False

    def detected(self) -> DeploymentDriftDetected:
        """The event of a drift."""
        return DeploymentDriftDetected(
            deployment_version_id=self.deployment, slot=self.slot, metric=self.metric, rows_from=self.rows_from, n=self.n,
            before=self.before, now=self.value, worse=self.worse, better=self.better, p_value=self.p_value, alpha=self.alpha,
            tolerance=self.tolerance,
        )  # fmt: skip


def check_size(n: int, rule: Rule, where: str) -> int:
    """The fewest worse rows that say drift.

    Raises:
        StageError(InvalidRequest): The rows are so few that nothing could ever be told.
    """
    told_at = rule.told_at(n)
    if told_at is None:
        least = next(count for count in range(n, 100_000) if rule.told_at(count) is not None)
        cause = f"a check of {n} rows could never say drift; {least} could, were all of them worse"
        raise StageError(
            InvalidRequest(), "There are too few rows for a drift check", where=where, cause=cause,
            next_step="Lock a gold set with a hundred rows or more.",
        )  # fmt: skip
    return told_at


def decide(
    handler: TaskHandler, rows: Sequence[PreparedRow], before: Sequence[Prediction], now: Sequence[Prediction], rule: Rule
) -> tuple[Drift, str]:
    """Score both answers as evaluation does, and hold one against the other; returns also the metric that it is of."""
    scored = [handler.score(rows, answers) for answers in (before, now)]
    metric = handler.primary_metric
    if any(metric not in one.figures for one in scored):
        metric = "rows_right"
    first, second = scored
    found = compare(
        _figure(first, metric), _figure(second, metric), first.row_correct, second.row_correct, rule,
        lower_is_better=handler.lower_is_better and metric in first.figures,
    )  # fmt: skip
    return found, metric


def _figure(scores: Scores, metric: str) -> Figure:
    return scores.figures[metric] if metric in scores.figures else share(scores.row_correct)


def record(result: CheckResult, session: Session, run: Run) -> Sequence[Reason]:
    """Keep the check, and the reference where it is a new one."""
    version = version_of(session, result.deployment)
    made = result.reference
    if session.get(DriftReference, (version.id, made.rows_sha256)) is None:
        session.add(
            DriftReference(
                deployment_id=version.id, rows_sha256=made.rows_sha256, run_id=run.id, taken_from=made.taken_from, path=made.path,
                sha256=made.sha256, scoring=made.scoring, rows=made.rows,
            )
        )  # fmt: skip
    former = session.scalar(select(func.max(DriftCheck.look)).where(DriftCheck.deployment_id == version.id))
    kept = result.model_dump(include=_COLUMNS)
    session.add(
        DriftCheck(run_id=run.id, project_id=version.project_id, deployment_id=version.id, look=(former or 0) + 1, **kept)
    )  # fmt: skip
    run.result = (run.result or {}) | {"look": (former or 0) + 1}
    checked = DeploymentChecked(
        deployment_version_id=version.id, slot=version.slot, look=(former or 0) + 1, verdict=result.verdict, metric=result.metric,
        rows_from=result.rows_from, n=result.n, before=result.before, now=result.value, p_value=result.p_value,
    )  # fmt: skip
    return [checked, result.detected()] if result.verdict == "drifted" and not result.told else [checked]


_COLUMNS = {
    "verdict", "rows_from", "rows_sha256", "n", "metric", "before", "value", "low", "high", "fall", "worse", "better", "p_value",
    "tolerance",
}  # fmt: skip
