"""train.reproduce: an experiment is trained again from its record, and its weights are compared by hash."""

import shutil
import time
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.models.catalogue import base_model
from brewslm.models.environment import Environment
from brewslm.processes.context import Context
from brewslm.processes.trace import read_trace
from brewslm.reasons import Reason
from brewslm.reasons.prepare import ManifestMismatch
from brewslm.reasons.refusals import NotReproducible
from brewslm.reasons.training import TrainingNotReproduced, TrainingReproduced
from brewslm.rows.manifest import PreparedData
from brewslm.stages.contract import Job, Request, Result
from brewslm.stages.train.job import TrainJob
from brewslm.store import tables
from brewslm.store.files import read_json, run_folder
from brewslm.store.records import Records, experiment_of, run_of

COMPARED = ("loss", "grad_norm", "row_ids")


class ReproduceRequest(Request):
    """Train an experiment again from its record, beside it: the experiment stays as it is."""

    experiment: str
    timeout_minutes: float | None = Field(None, gt=0)


class ReproduceJob(Job):
    """What to train again, and what must come of it.

    Attributes:
        train: The experiment's own job, in a folder of this run's.
        expected_sha256: Of the experiment's weights.
        environment: The experiment's; None where an older version kept none.
        trace: Of the experiment, which may be gone.
    """

    train: TrainJob
    expected_sha256: str
    environment: Environment | None
    trace: Path


class ReproduceResult(Result):
    """Whether the weights are the same, byte by byte.

    Attributes:
        first_step: The first step whose loss, gradient norm or rows are not those that the experiment kept; None when all are.
        differs: What of the environment is otherwise than it was.
    """

    experiment_id: str
    reproduced: bool
    adapter_sha256: str
    expected_sha256: str
    first_step: int | None
    differs: list[str]
    steps: int
    seconds: float


def project_of(request: ReproduceRequest, session: Session) -> int:
    """The experiment's project.

    Raises:
        StageError(UnknownRun, NotTrained): There is no trained experiment of this id.
    """
    return experiment_of(session, request.experiment).project_id


def resolve(request: ReproduceRequest, records: Records) -> ReproduceJob:
    """Read the record, and hold everything that it names against its hash.

    Raises:
        StageError(NotReproducible): Something that the experiment was trained from is gone or was changed; it is named.
    """
    experiment = experiment_of(records.session, request.experiment)
    job = _recorded(request.experiment)
    _rows_must_be_there(job, request.experiment)
    base = _base_of(job, request.experiment)
    result = run_of(records.session, request.experiment).result or {}
    output = records.folder / "reproductions" / records.run_id
    return ReproduceJob(
        train=job.model_copy(update={"base": base, "output": output, "log_to": None}),
        expected_sha256=experiment.adapter_sha256,
        environment=Environment.model_validate(result["environment"]) if result.get("environment") else None,
        trace=run_folder(request.experiment) / "trace.jsonl",
    )


def _recorded(experiment: str) -> TrainJob:
    path = run_folder(experiment) / "job.json"
    try:
        return TrainJob.model_validate(read_json(path)["job"]["train"])
    except FileNotFoundError:
        raise _lost(experiment, "job.json", "the run's record is gone") from None
    except (ValueError, KeyError, TypeError) as error:
        raise _lost(experiment, "job.json", f"the run's record can't be read: {type(error).__name__}") from None


def _rows_must_be_there(job: TrainJob, experiment: str) -> None:
    try:
        PreparedData(job.manifest_path, job.manifest_sha256)
    except StageError as error:
        if not isinstance(error.reason, ManifestMismatch):
            raise
        raise _lost(experiment, error.where, error.cause) from error


def _base_of(job: TrainJob, experiment: str) -> Any:
    try:
        base = base_model(job.base.locator)
    except StageError as error:
        raise _lost(experiment, job.base.locator, error.cause or error.what) from error
    if base.sha256 != job.base.sha256:
        raise _lost(experiment, job.base.locator, f"its SHA-256 is {base.sha256[:12]}…, it was {job.base.sha256[:12]}…")
    return base


def _lost(experiment: str, where: str, cause: str) -> StageError:
    return StageError(NotReproducible(), f"{experiment} can't be trained again", where=where, cause=cause)


def run(job: ReproduceJob, context: Context) -> ReproduceResult:
    """Train, and compare. The weights are kept only where they differ: otherwise the experiment has them.

    Raises:
        StageError: As training does.
    """
    from brewslm.stages.train.run import run as train

    began = time.monotonic()
    trained = train(job.train, context)
    same = trained.adapter_sha256 == job.expected_sha256
    shutil.rmtree(job.train.output if same else job.train.output / "checkpoints", ignore_errors=True)
    now = trained.environment
    return ReproduceResult(
        ledger=trained.ledger,
        experiment_id=job.train.experiment_id,
        reproduced=same,
        adapter_sha256=trained.adapter_sha256,
        expected_sha256=job.expected_sha256,
        first_step=first_difference(job.trace, context.folder / "trace.jsonl"),
        differs=job.environment.differences(now) if job.environment and now else [],
        steps=trained.steps,
        seconds=round(time.monotonic() - began, 1),
    )


def first_difference(kept: Path, now: Path) -> int | None:
    """The first step that two traces tell otherwise; None when they tell the same, or the first is not there."""
    former, again = read_trace(kept, "step"), read_trace(now, "step")
    if not former:
        return None
    for at, (one, other) in enumerate(zip_longest(former, again), 1):
        if one is None or other is None or any(one[name] != other[name] for name in COMPARED):
            return at
    return None


def record(result: ReproduceResult, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Nothing to write beside the run: it tells how it ended."""
    shared = {"experiment_id": result.experiment_id, "adapter_sha256": result.adapter_sha256}
    if result.reproduced:
        return [TrainingReproduced(**shared)]
    more = result.model_dump(include={"expected_sha256", "first_step", "differs"})
    return [TrainingNotReproduced(**shared, **more)]
