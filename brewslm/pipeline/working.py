"""The work of a run: here, or in a child process under the machine's one heavy lock."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select

from brewslm.errors import StageError
from brewslm.pipeline import runs
from brewslm.pipeline.operation import Operation
from brewslm.processes import environment
from brewslm.processes.child import ChildEnd, run_child
from brewslm.processes.context import PAUSE, Cancelled, DirectContext, Paused
from brewslm.processes.origin import Origin, origin_of
from brewslm.processes.verdict import Cause
from brewslm.reasons import Reason
from brewslm.reasons.system import OperationFailed
from brewslm.settings import settings
from brewslm.stages.contract import Job, Request, Result
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder, read_json, run_folder, write_json
from brewslm.store.locks import Held, lock
from brewslm.store.records import Records, run_of
from brewslm.store.tables import Run

TIME_LIMIT = "time-limit.json"
"""The file in a run's folder with the seconds that a resume gave it."""


class ChildDied(Exception):
    """A heavy job's child ended without a result."""

    def __init__(self, cause: Cause, error: StageError, origin: Origin) -> None:
        self.cause, self.error, self.origin = cause, error, origin
        super().__init__(str(error))


def work(operation: Operation, request: Request, run: Run, context: DirectContext) -> Result | None:
    """resolve, then run: here, or in a child."""
    if operation.compose:
        return operation.compose(request, run.id, context)
    if operation.resolve is None or operation.run is None:
        return None
    folder = run_folder(run.id)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "result.json").exists():  # the work is done; only its closing was cut off
        return operation.result.model_validate(read_json(folder / "result.json"))
    write_json(folder / environment.FILE, environment.ran_on())
    job = _resolved(operation, request, run, folder)
    context.check()
    if not operation.heavy:
        return operation.run(job, context)
    with heavy_lock(context):
        end = _in_children(operation, job, run, context, _time_limit(operation, request, folder))
    if end.cause is Cause.FINISHED:
        return operation.result.model_validate(read_json(folder / "result.json"))
    if end.cause is Cause.CANCELLED:
        raise Cancelled(end.evidence)
    if end.cause is Cause.PAUSED:
        raise Paused
    error = _child_error(operation, end.error, end.evidence)
    raise ChildDied(end.cause, error, _child_origin(error, end))


def _time_limit(operation: Operation, request: Request, folder: Path) -> float | None:
    """Seconds: what the last resume set, or else the request."""
    path = folder / TIME_LIMIT
    return float(read_json(path)) if path.exists() else operation.timeout_seconds(request)


def _in_children(operation: Operation, job: Job, run: Run, context: DirectContext, limit: float | None) -> ChildEnd:
    """Run the job in a child; where it ran out of memory, again as a smaller job, each time as a new attempt."""
    folder, began = run_folder(run.id), time.monotonic()
    (folder / PAUSE).unlink(missing_ok=True)  # an earlier request: it was met, and whoever resumes has lifted it
    attempt = _attempt(run.id)
    while True:
        left = limit and max(0.0, limit - (time.monotonic() - began))
        end = run_child(
            folder, lambda line: _on_line(line, context), lambda: cancel_requested(run.id), left, attempt, operation.libraries
        )
        found = operation.smaller(job, attempt + 1, folder) if end.cause is Cause.OOM and operation.smaller else None
        if found is None:
            return end
        job, reason = found
        with transaction() as session:
            attempt = runs.begin_attempt(session, run.id)
        write_json(folder / "job.json", {"operation": operation.name, "job": job.model_dump(mode="json")})
        context.tell(reason)


def _attempt(run_id: str) -> int:
    with reading() as session:
        return run_of(session, run_id).attempt


def _resolved(operation: Operation, request: Request, run: Run, folder: Path) -> Job:
    """The run's job: what a former attempt froze, or resolved now and frozen."""
    assert operation.resolve is not None
    path = folder / "job.json"
    if operation.heavy and path.exists():
        return operation.job.model_validate(read_json(path)["job"])
    with reading() as session:
        job = operation.resolve(request, Records(session, run.id, run.project_id or 0, run.actor))
    write_json(path, {"operation": operation.name, "job": job.model_dump(mode="json")})
    return job


def _child_error(operation: Operation, error: dict[str, Any], evidence: str) -> StageError:
    if error.get("kind") == "stage_error":
        parts = error["parts"]
        return StageError(
            Reason.read(error["code"], error["payload"]), parts[0], where=parts[1], cause=parts[2], next_step=parts[3]
        )
    said = error.get("error") or evidence
    return StageError(OperationFailed(operation=operation.name, error=said), f"{operation.name} failed", cause=said)


def _child_origin(error: StageError, end: ChildEnd) -> Origin:
    if end.cause is Cause.REFUSED:
        return origin_of(error)
    written = end.error.get("origin")
    return Origin.model_validate(written) if written else Origin(said=end.evidence)


def _on_line(line: dict[str, Any], context: DirectContext) -> None:
    if line["kind"] == "progress":
        context.progress(line["done"], line["total"], line["unit"], **line["figures"])
    elif line["kind"] == "reason":
        context.tell(Reason.read(line["code"], line["payload"]))


def cancel_requested(run_id: str) -> bool:
    """Of the run itself, or of the run that it is part of."""
    parent = select(Run.parent_run_id).where(Run.id == run_id).scalar_subquery()
    asked = select(Run.id).where(Run.cancel_requested, or_(Run.id == run_id, Run.id == parent))
    with reading() as session:
        return session.scalars(asked).first() is not None


@contextmanager
def heavy_lock(context: DirectContext) -> Iterator[None]:
    """One heavy job at a time on this machine, whoever starts it; a wait can be cancelled."""
    while True:
        try:
            with lock(settings().home / "locks" / "heavy", wait=False):
                yield
                return
        except Held:
            context.check()
            time.sleep(0.2)


@contextmanager
def project_locks(operation: Operation, project_id: int | None) -> Iterator[None]:
    """The project's locks that an operation wants, held for the block."""
    with ExitStack() as stack:
        for name in operation.locks:
            stack.enter_context(lock(project_folder(project_id or 0) / "locks" / name))
        yield
