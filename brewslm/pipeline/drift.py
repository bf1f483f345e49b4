"""deploy.check_drift is composed here, for a stage never imports a stage: evaluate asks the live model, then deploy decides.

What was decided is kept in the run's folder before a rollback begins: a check that was cut off there goes on with the rollback,
by its idempotency key, and asks nobody again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import orjson
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.handlers.base import Prediction
from brewslm.metrics.drift import Rule
from brewslm.pipeline.operation import Failure
from brewslm.processes.context import Context
from brewslm.reasons import is_event
from brewslm.reasons.deployment import DeploymentCheckFailed
from brewslm.reasons.refusals import EndpointUnavailable
from brewslm.serving.endpoints import Endpoint, failure_of, locate, supervisor_runs, wait_for
from brewslm.serving.model_server import ModelServerFailed
from brewslm.serving.targets import Servable
from brewslm.serving.temporary import serve_for_now
from brewslm.stages import evaluate
from brewslm.stages.contract import Job
from brewslm.stages.deploy.changes import export_of, version_in
from brewslm.stages.deploy.drift import MOST_NAMED, CheckRequest, CheckResult, Reference, RollbackOutcome, check_size, decide
from brewslm.stages.deploy.rollback import RollbackRequest
from brewslm.store.files import project_folder, read_json, sha256, write_atomic, write_json
from brewslm.store.records import Records
from brewslm.store.tables import DriftReference

READY_SECONDS = 60.0
"""A model server that is being started again is waited for."""
DECIDED = "decided.json"
FROM_FILE = "local"
"""The target whose exported file can be served once more beside the live server: what others serve is asked where it is live."""


class DriftJob(Job):
    """A check, frozen.

    Attributes:
        servable: What was promoted.
        references: The reference answers that the version has, of whatever rows.
        run_id, actor: Of the check: a rollback is a part of its run, asked for by the same.
    """

    deployment: int
    version: int
    slot: str
    project: int
    servable: Servable
    live: evaluate.LiveJob
    references: list[Reference]
    tolerance: float
    rollback: bool
    run_id: str
    actor: str


def resolve(request: CheckRequest, records: Records) -> DriftJob:
    """Freeze what is asked, and the answers that it is held against.

    Raises:
        StageError(DeploymentStateConflict): The version is not promoted.
        StageError(UnknownGoldSet, InvalidRequest): There are no such rows, or they are of another task.
    """
    session = records.session
    version = version_in(session, request.deployment, "promoted")
    export = export_of(session, version.export_id)
    known = session.scalars(select(DriftReference).where(DriftReference.deployment_id == version.id))
    return DriftJob(
        deployment=version.id, version=version.version, slot=version.slot, project=version.project_id,
        servable=Servable.of(version, export), live=evaluate.live_job(export.experiment_id, request.gold_set, records),
        references=[Reference.model_validate({name: getattr(one, name) for name in _REFERENCE}) for one in known],
        tolerance=request.tolerance, rollback=request.rollback, run_id=records.run_id, actor=records.actor,
    )  # fmt: skip


_REFERENCE = ("rows_sha256", "taken_from", "path", "sha256", "scoring", "rows")


def run(job: DriftJob, context: Context) -> CheckResult:
    """Ask, decide, and roll back where that is wanted.

    Raises:
        StageError(DeploymentCheckFailed): The live model did not answer as a model server does, or its reference can't be had.
        StageError(InvalidRequest): The rows are too few to tell anything.
        Cancelled: A person asked to stop.
    """
    path = context.folder / DECIDED
    result = CheckResult.model_validate(read_json(path)) if path.exists() else _checked(job, context)
    if not (job.rollback and result.verdict == "drifted"):
        return result
    if not path.exists():
        context.tell(result.detected())
        result = result.model_copy(update={"told": True})
        write_json(path, result.model_dump(mode="json"))
    return result.model_copy(update={"rollback": _rolled_back(job)})


def failure(failed: Failure) -> DeploymentCheckFailed:
    """The reason of a check that could not be made."""
    return DeploymentCheckFailed(
        deployment_version_id=failed.request.deployment, problem=failed.problem, error=failed.error or failed.problem
    )


def _checked(job: DriftJob, context: Context) -> CheckResult:
    endpoint = _endpoint(job)
    rule = Rule(tolerance=job.tolerance)
    with _told_as_ours(job):
        asked = evaluate.live_rows(job.live)
        told_at = check_size(len(asked.rows), rule, asked.source)
        former = _reference(job, asked, context)
        scoring = former[0].scoring if former else None
        now = evaluate.ask_live(job.live, asked, endpoint, context.folder / "answers" / "live.jsonl", context, scoring)
    reference, before = former or (_kept(job, asked, now, "live"), now.predictions)
    found, metric = decide(asked.handler, asked.rows, before, now.predictions, rule)
    return CheckResult(
        deployment=job.deployment, version=job.version, slot=job.slot,
        verdict="reference" if former is None else "drifted" if found.drifted else "steady", reference=reference,
        rows_from=asked.source, rows_sha256=asked.sha256, of=asked.of, metric=metric, alpha=rule.alpha,
        false_alarms=rule.false_alarms, looks=rule.looks, told_at=told_at, tolerance=rule.tolerance,
        worse_rows=[asked.rows[place].row_id for place in found.worse_places[:MOST_NAMED]],
        n=found.n, before=found.before, value=found.value, low=found.low, high=found.high, fall=found.fall,
        fall_low=found.fall_low, fall_high=found.fall_high, worse=found.worse, better=found.better, p_value=found.p_value,
    )  # fmt: skip


def _endpoint(job: DriftJob) -> Endpoint:
    """The version's own live server, and no other: a check never starts one for what is live.

    Raises:
        StageError(EndpointUnavailable): It is not up.
    """
    found = locate(job.deployment)
    if found is None and supervisor_runs():
        found = wait_for(job.deployment, READY_SECONDS, give_up=True)
    if found is None:
        why = failure_of(job.deployment)
        raise StageError(
            EndpointUnavailable(), f"{job.slot} v{job.version} can't be checked", where=f"deployment {job.deployment}",
            cause=f"its model server did not start: {why}" if why else "its model server is not up",
            next_step="Start brewslm serve, or read its log, then check again.",
        )  # fmt: skip
    return found


def _reference(job: DriftJob, asked: evaluate.LiveRows, context: Context) -> tuple[Reference, list[Prediction]] | None:
    """The answers of the version's former reference; or else of its exported file; None where that can't be served here."""
    known = next((one for one in job.references if one.rows_sha256 == asked.sha256), None)
    if known is not None:
        return known, _read(job, known)
    if job.servable.target != FROM_FILE:
        return None
    weights = job.servable.weights
    if not weights.is_file() or sha256(weights) != job.servable.artifact["sha256"]:
        cause = f"the exported file, which the reference is had from, is {'changed' if weights.is_file() else 'missing'}"
        raise _failed(job, "export_changed", cause, weights.name)
    beside = job.servable.model_copy(update={"settings": job.servable.settings | {"port": 0}})
    with serve_for_now(beside) as endpoint:
        answers = evaluate.ask_live(job.live, asked, endpoint, context.folder / "answers" / "file.jsonl", context)
    return _kept(job, asked, answers, "file"), answers.predictions


def _kept(job: DriftJob, asked: evaluate.LiveRows, answers: evaluate.Said, taken_from: Literal["file", "live"]) -> Reference:
    folder, path = project_folder(job.project), f"deployments/{job.deployment}/reference-{job.run_id}.jsonl"
    lines = [orjson.dumps(one.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE) for one in answers.predictions]
    write_atomic(folder / path, b"".join(lines))
    return Reference(
        rows_sha256=asked.sha256, taken_from=taken_from, path=path, sha256=sha256(folder / path), scoring=answers.scoring,
        rows=len(lines),
    )  # fmt: skip


def _read(job: DriftJob, reference: Reference) -> list[Prediction]:
    path = project_folder(job.project) / reference.path
    if not path.is_file() or sha256(path) != reference.sha256:
        cause = f"the reference answers are {'changed' if path.is_file() else 'gone'}"
        raise _failed(job, "reference_changed", cause, reference.path)
    return [Prediction.model_validate_json(line) for line in path.read_bytes().splitlines()]


@contextmanager
def _told_as_ours(job: DriftJob) -> Iterator[None]:
    """An event of another stage, or a server that did not start, is told as what it is here: a check that could not be made."""
    try:
        yield
    except ModelServerFailed as error:
        raise _failed(job, "model_server_failed", f"the exported file could not be served: {error}") from error
    except StageError as error:
        if not is_event(error.reason) or isinstance(error.reason, DeploymentCheckFailed):
            raise
        raise _failed(job, error.reason.code, error.cause or error.what, error.where) from error


def _failed(job: DriftJob, problem: str, cause: str, where: str = "") -> StageError:
    reason = DeploymentCheckFailed(deployment_version_id=job.deployment, problem=problem, error=cause)
    return StageError(reason, f"{job.slot} v{job.version} could not be checked", where=where, cause=cause)


def _rolled_back(job: DriftJob) -> RollbackOutcome:
    """The version before it answers again, if one can: what hinders that is told, and is no failure of the check."""
    from brewslm.pipeline import execute  # it imports the lifecycle's table, where this module stands

    key = f"{job.run_id}:deploy.rollback"
    try:
        view = execute.call(job.actor, RollbackRequest(deployment=job.deployment), idempotency_key=key, parent=job.run_id)
    except execute.RunFailed as failed:
        return RollbackOutcome(run=failed.view.task_id, state=failed.view.state, problem=failed.error.reason.code)
    except StageError as refused:
        return RollbackOutcome(run=None, state="refused", problem=refused.reason.code)
    return RollbackOutcome(run=view.task_id, state=view.state)
