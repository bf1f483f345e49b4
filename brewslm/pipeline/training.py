"""train.run is composed here, for a stage never imports a stage: preflight decides, then training begins, in the same child."""

import shutil
from pathlib import Path

from brewslm.errors import StageError
from brewslm.pipeline import probing
from brewslm.pipeline.operation import Failure
from brewslm.processes.context import Context, DirectContext
from brewslm.processes.trace import read_trace
from brewslm.processes.verdict import Cause
from brewslm.reasons import Reason
from brewslm.reasons.refusals import DiskFull
from brewslm.reasons.training import (
    TrainingCancelled,
    TrainingDispatchError,
    TrainingOom,
    TrainingPaused,
    TrainingRetriedSmaller,
    TrainingRuntimeError,
    TrainingTimeout,
)
from brewslm.stages import preflight, train
from brewslm.stages.contract import Job, PlanName
from brewslm.store.records import Records


class DispatchJob(Job):
    """What is checked, and what is then trained.

    Attributes:
        plan: That which the recipe in both was changed by.
    """

    preflight: preflight.PreflightJob
    train: train.TrainJob
    fail_open: bool
    plan: PlanName | None = None
    retries: int = 0


RETRIES = 2
WORTH_A_RETRY = 0.9
"""Of the largest pass that ran out of memory: a smaller job whose largest is above this share would most likely end like it."""


def resolve(request: train.TrainRequest, records: Records) -> DispatchJob:
    """Freeze both jobs, with the recipe that the plan makes where one is taken.

    Raises:
        StageError(NotPrepared, BaseModelNotFound, InvalidRequest): Something that training needs is not there.
    """
    shared = request.model_dump(include=set(preflight.PreflightRequest.model_fields))
    checks = probing.checks(preflight.PreflightRequest(**shared), records)
    trained = train.resolve(request, records)
    if request.plan is not None:
        changed = {"recipe": preflight.planned_recipe(checks, request.plan, DirectContext(records.run_folder))}
        checks, trained = checks.model_copy(update=changed), trained.model_copy(update=changed)
    return DispatchJob(preflight=checks, train=trained, fail_open=request.fail_open, plan=request.plan)


def run(job: DispatchJob, context: Context) -> train.TrainResult:
    """Check, then train.

    Raises:
        StageError(TrainingDispatchError): Preflight found blockers; in fail-open mode, only those that leave nothing to train.
    """
    from brewslm.stages.train.run import run as run_training

    report = preflight.run(job.preflight, context)
    blockers = [finding for finding in report.blockers() if finding.fatal or not job.fail_open]
    if blockers:
        first = blockers[0]
        reason = TrainingDispatchError(
            experiment_id=job.train.experiment_id, error="preflight", blockers=[finding.code for finding in blockers]
        )
        cause = f"{first.code}: {first.measured}; the limit is {first.limit}"
        raise StageError(reason, "Preflight blocks this training", cause=cause, next_step=first.next_step)
    trained = run_training(job.train, context)
    found = {"warnings": [finding.code for finding in report.findings], "forced": bool(report.blockers())}
    return trained.model_copy(update=found)


def smaller(job: DispatchJob, attempt: int, folder: Path) -> tuple[DispatchJob, Reason] | None:
    """The job with half the tokens in one pass, when training ran out of memory; None when that would not help, or twice did not.

    Another number of tokens adds up the same step in another order, so that its last digits differ. What was trained so far is
    therefore given up: the retried run is, byte by byte, what a run with this setting would have been from the start.
    """
    begun = read_trace(folder / "trace.jsonl", "packs")
    if not begun or job.retries >= RETRIES:
        return None
    longest, row = begun[-1]["longest_pack"], begun[-1]["longest_row"]
    fewer = max(longest // 2, row)  # a row is never cut: it is the least that a pass holds
    if fewer > WORTH_A_RETRY * longest:
        return None
    recipe = job.train.recipe
    changed = {"recipe": recipe.model_copy(update={"pack_tokens": fewer})}
    shutil.rmtree(job.train.output / "checkpoints", ignore_errors=True)
    reason = TrainingRetriedSmaller(
        experiment_id=job.train.experiment_id, attempt=attempt, from_pack_tokens=recipe.pack_tokens, to_pack_tokens=fewer
    )
    jobs = {"preflight": job.preflight.model_copy(update=changed), "train": job.train.model_copy(update=changed)}
    return job.model_copy(update=jobs | {"retries": job.retries + 1}), reason


def failure(failed: Failure) -> Reason:
    """The reason of a run that ended badly without one of its own."""
    by_cause: dict[Cause, type[Reason]] = {
        Cause.REFUSED: TrainingDispatchError,
        Cause.OOM: TrainingOom,
        Cause.TIMEOUT: TrainingTimeout,
        Cause.CANCELLED: TrainingCancelled,
        Cause.PAUSED: TrainingPaused,
    }
    step = failed.figures.get("step")
    made = by_cause.get(failed.cause, TrainingRuntimeError)
    if failed.problem == DiskFull.code:  # it had begun
        made = TrainingRuntimeError
    said = failed.problem if failed.cause is Cause.REFUSED else failed.error
    experiment = getattr(failed.request, "experiment", failed.run_id)  # of a reproduction, that which it trains again
    return made.model_validate({"experiment_id": experiment, "error": said, "last_step": int(step) if step is not None else None})
