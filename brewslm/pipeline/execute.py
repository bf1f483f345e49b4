"""The only doorway: every operation, from CLI, API, page or autopilot, goes through `call` or `queue`."""

import errno
import shutil
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.audit import bring_back, emit_event
from brewslm.errors import StageError, where_of
from brewslm.pipeline import failures, runs
from brewslm.pipeline.entries import changing, enter
from brewslm.pipeline.lifecycle import OPERATIONS, operation_for
from brewslm.pipeline.operation import Failure, Operation
from brewslm.pipeline.runs import RunView
from brewslm.pipeline.working import TIME_LIMIT, ChildDied, cancel_requested, project_locks, work
from brewslm.plugins import emit_broken
from brewslm.processes.context import PAUSE, Cancelled, DirectContext, Paused
from brewslm.processes.origin import Origin, origin_of
from brewslm.processes.verdict import Cause
from brewslm.reasons import Reason, is_event
from brewslm.reasons.refusals import DiskFull, IdempotencyConflict, RunConflict
from brewslm.reasons.system import OperationFailed
from brewslm.settings import settings
from brewslm.stages.contract import Request, Result
from brewslm.store.database import reading, transaction
from brewslm.store.files import read_json, run_folder, write_atomic, write_json
from brewslm.store.locks import Held, lock
from brewslm.store.records import project_of, run_of
from brewslm.store.tables import Run

PLUGIN_STAGES = ("ingest", "map_commit", "deploy")
"""Stages that plugins extend."""
HANDOVER_SECONDS = 0.05
"""Between two tries for a run that was made ready again while its former executor still tells of its end."""
OnProgress = Callable[[int, int | None, str, dict[str, float]], None]


class RunFailed(Exception):
    """A run ended without success; its view says how.

    Attributes:
        view: The run.
        error: What was raised; None when it was cancelled or died.
    """

    def __init__(self, view: RunView, error: StageError) -> None:
        self.view, self.error = view, error
        super().__init__(str(error))


def call(
    actor: str,
    request: Request,
    *,
    idempotency_key: str | None = None,
    parent: str | None = None,
    on_progress: OnProgress | None = None,
) -> RunView:
    """Run an operation here and now.

    Args:
        actor: Who asks, such as "cli:ana".
        idempotency_key: The same key with the same request gives the same run again, resumed if it was cut off.
        parent: The run that it is part of.

    Raises:
        StageError: The request was refused; nothing was written but the audit entry.
        RunFailed: The run failed or was cancelled.
    """
    run_id = _open(actor, request, idempotency_key, parent, "running")
    return perform(run_id, on_progress)


def queue(actor: str, request: Request, *, idempotency_key: str | None = None) -> RunView:
    """Put an operation in the queue of the workers, and return at once. Any worker of this home takes it: see pipeline/worker.py.

    Raises:
        StageError: The request was refused.
    """
    run_id = _open(actor, request, idempotency_key, None, "queued")
    return look(run_id)


def look(run_id: str) -> RunView:
    """The run as it stands, with its progress.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    shown = _seen(run_id)
    # Whoever executes a run closes it, then lets go of its lock: it may have done both between our looks at one and the other.
    return _seen(run_id) if shown.state == "interrupted" else shown


def _seen(run_id: str) -> RunView:
    with reading() as session:
        run = run_of(session, run_id)
    path = run_folder(run_id) / "progress.json"
    return runs.view(run, read_json(path) if run.state == "running" and path.exists() else None)


def cancel(actor: str, run_id: str) -> RunView:
    """Ask a run and its parts to stop: a running one ends within about two seconds, one that nobody executes at once.

    Raises:
        StageError(UnknownRun): There is none of this id.
        StageError(RunConflict): It has ended.
    """
    with changing(actor, "task.cancel", run_id) as session:
        run = run_of(session, run_id)
        if run.state in runs.ENDED:
            raise StageError(RunConflict(), f"{run_id} can't be cancelled", cause=f"its state is {run.state}")
        run.cancel_requested = True
        enter(session, actor, "task.cancel", "accepted", project=run.project_id, run=run_id)
        parts = session.scalars(select(Run).where(Run.parent_run_id == run_id, Run.state.in_(("queued", "running"))))
        unattended = [each for each in (*parts, run) if runs.view(each).state in ("queued", "interrupted")]
        for each in unattended:  # it counts as an attempt: the queue begins each attempt once, and a resume must be another
            each.attempt += each.state == "queued"
    for each in unattended:  # nobody would see the request
        stopped = StageError(RunConflict(), f"{each.id} was cancelled", cause="nobody was executing it")
        _fail(each.id, OPERATIONS[each.operation], Cause.CANCELLED, stopped, {})
    return look(run_id)


def pause(actor: str, run_id: str) -> RunView:
    """Ask a training run to wait: it writes a checkpoint after its present step and ends as paused; a resume goes on there.

    Raises:
        StageError(UnknownRun): There is none of this id.
        StageError(RunConflict): Nobody executes it now, or it is not of a kind that can wait.
    """
    with changing(actor, "task.pause", run_id) as session:
        run = run_of(session, run_id)
        state = runs.view(run).state
        if not OPERATIONS[run.operation].pausable or state != "running":
            cause = f"its state is {state}" if OPERATIONS[run.operation].pausable else f"{run.operation} can't wait; cancel it"
            raise StageError(RunConflict(), f"{run_id} can't be paused", cause=cause)
        enter(session, actor, "task.pause", "accepted", project=run.project_id, run=run_id)
    write_atomic(run_folder(run_id) / PAUSE, b"")
    return look(run_id)


def resume(actor: str, run_id: str, *, detach: bool = False, timeout_minutes: float | None = None) -> str:
    """Make a run that failed, was cancelled or was cut off ready to be performed again.

    Args:
        detach: The workers shall perform it; otherwise the caller does.
        timeout_minutes: A time limit from now on, in place of the one that was asked for with it.

    Raises:
        StageError(UnknownRun): There is none of this id.
        StageError(RunConflict): It succeeded, runs at this moment, or is of a kind that has no time limit.
    """
    with changing(actor, "task.resume", run_id) as session:
        run = run_of(session, run_id)
        state = runs.view(run).state
        if state not in ("queued", "interrupted", "failed", "cancelled", "paused"):
            raise StageError(RunConflict(), f"{run_id} can't be resumed", cause=f"its state is {state}")
        if timeout_minutes is not None:
            if not OPERATIONS[run.operation].heavy:
                raise StageError(RunConflict(), f"{run_id} has no time limit", cause=f"{run.operation} ends by itself")
            write_json(run_folder(run_id) / TIME_LIMIT, timeout_minutes * 60)
        runs.reopen(session, run_id, "queued" if detach else "running")
        enter(session, actor, run.operation, "resumed", project=run.project_id, run=run_id)
    return run_id


def _open(actor: str, request: Request, key: str | None, parent: str | None, state: str) -> str:
    """Write the run and its audit entry; or find the run of an idempotency key."""
    operation = operation_for(request)
    bring_back()
    if operation.stage in PLUGIN_STAGES:
        emit_broken(actor)
    body = request.model_dump(mode="json")
    known_project = None
    try:
        with transaction() as session:
            if key is not None:
                known = session.scalar(select(Run).where(Run.idempotency_key == key))
                if known is not None:
                    if (known.operation, known.request) != (operation.name, body):
                        raise StageError(IdempotencyConflict(), cause=f"the key belongs to {known.id}")
                    return known.id
            project = operation.project_of(request, session)
            if project is not None:
                known_project = project_of(session, project).id
            run = runs.create(
                session, kind=operation.kind, operation=operation.name, project_id=project, actor=actor, request=body,
                parent=parent, idempotency_key=key, state=state,
            )  # fmt: skip
            enter(session, actor, operation.name, "accepted", project=project, run=run.id, parent=parent)
            return run.id
    except StageError as error:
        with transaction() as session:
            enter(session, actor, operation.name, error.reason.code, project=known_project, run=None, parent=parent)
        raise


def perform(run_id: str, on_progress: OnProgress | None = None) -> RunView:
    """Execute a run to its end, or return its end when it has one. Safe to repeat: see `runs.close`.

    Raises:
        RunFailed: It failed or was cancelled.
        StageError(RunConflict): Another process executes it now.
    """
    while True:
        try:
            with lock(runs.run_lock_path(run_id), wait=False):
                return _perform(run_id, on_progress)
        except Held as error:
            if look(run_id).state != "queued":
                raise StageError(RunConflict(), f"{run_id} is being executed", cause="another process holds its lock") from error
        time.sleep(HANDOVER_SECONDS)


def _perform(run_id: str, on_progress: OnProgress | None) -> RunView:
    with transaction() as session:
        run = run_of(session, run_id)
        operation = OPERATIONS[run.operation]
        started = runs.start(session, run_id)
    if not started:
        return _ended(run_id)
    request = operation.request.model_validate(run.request)
    figures: dict[str, float] = {}
    context = _context(run, figures, on_progress)
    try:
        with project_locks(operation, run.project_id):
            result = work(operation, request, run, context)
            _finish(run, operation, request, result)
            if operation.after is not None:
                operation.after(run)
    except (Cancelled, KeyboardInterrupt) as stop:
        cancelled = StageError(RunConflict(), f"{run_id} was cancelled", cause=str(stop) or "cancelled on request")
        _fail(run_id, operation, Cause.CANCELLED, cancelled, figures)
        if isinstance(stop, KeyboardInterrupt):
            raise
    except Paused:
        _fail(
            run_id, operation, Cause.PAUSED, StageError(RunConflict(), f"{run_id} was paused", cause="paused on request"), figures
        )
    except StageError as error:
        _fail(run_id, operation, Cause.REFUSED, error, figures)
    except ChildDied as death:
        _fail(run_id, operation, death.cause, death.error, figures, death.origin)
    except Exception as crash:  # noqa: BLE001 - the runner: whatever a stage raises becomes a closed run with a reason
        _log(run_id, crash)
        _fail(run_id, operation, *_why_crashed(operation, crash), figures, origin_of(crash))
    return _ended(run_id)


def _why_crashed(operation: Operation, crash: Exception) -> tuple[Cause, StageError]:
    what = f"{operation.name} failed"
    if isinstance(crash, OSError) and crash.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(settings().home).free
        return Cause.REFUSED, StageError(DiskFull(), what, cause=f"{free / 2**20:,.1f} MB are free, now that it was taken back")
    failed = OperationFailed(operation=operation.name, error=where_of(crash))
    cause = Cause.OOM if isinstance(crash, MemoryError) else Cause.CRASHED
    return cause, StageError(failed, what, cause=where_of(crash))


def abandon(run_id: str, crash: Exception) -> None:
    """Close a run that could not even be begun, such as one that an older version queued and this one can't read."""
    _log(run_id, crash)
    with transaction() as session:
        run = run_of(session, run_id)
        reason = failures.signed(
            OperationFailed(operation=run.operation, error=where_of(crash)), Cause.CRASHED, "", origin_of(crash)
        )
        run.attempt += run.state == "queued"  # as in `cancel`
        if runs.close(session, run_id, "failed", problem=StageError(reason, cause=where_of(crash)).problem()):
            _emit(reason, run, session)


def _ended(run_id: str) -> RunView:
    shown = look(run_id)
    if shown.state in ("failed", "cancelled", "paused"):
        raise RunFailed(shown, _error_of(shown))
    return shown


def _error_of(shown: RunView) -> StageError:
    """The StageError that a closed run's problem document was made from."""
    problem = shown.problem or {}
    reason = Reason.read(problem["code"], problem["payload"])
    return StageError(reason, problem["title"], cause=problem["detail"], next_step=problem["next_step"])


def _finish(run: Run, operation: Operation, request: Request, result: Result | None) -> None:
    """The one short transaction that closes a run well: tables, state and events, or none of them."""
    with transaction() as session:
        row = run_of(session, run.id)
        shown = result.shown() if result is not None else {}
        if not runs.close(session, run.id, "succeeded", result=shown):
            return
        session.refresh(row)
        subject = result if result is not None else request
        for reason in operation.record(subject, session, row) if operation.record else ():
            _emit(reason, row, session)


def _fail(
    run_id: str,
    operation: Operation,
    cause: Cause,
    error: StageError,
    figures: dict[str, float],
    origin: Origin | None = None,
) -> None:
    """Close a run badly and emit why, in one transaction, after the rollback: that must not take the reason with it."""
    with reading() as session:
        run = run_of(session, run_id)
    request = operation.request.model_validate(run.request)
    reason = error.reason
    if not is_event(reason) or isinstance(reason, OperationFailed):
        problem = cause.value if cause is not Cause.REFUSED else reason.code
        said = "; ".join(part for part in (error.what, error.cause) if part) if not is_event(reason) else error.cause
        failure = Failure(run_id, request, cause, problem, said[:500], figures)
        reason = operation.failure(failure) if operation.failure else reason
    document = error.problem()
    if reason is not error.reason and (cause is not Cause.REFUSED or is_event(error.reason)):
        document = StageError(reason, error.what, where=error.where, cause=error.cause, next_step="").problem()
    origin = origin_of(error) if origin is None or cause is Cause.REFUSED else origin
    reason = failures.signed(reason, cause, error.reason.code, origin)
    if document["code"] == reason.code:
        document["payload"] = reason.payload()
    failures.keep(run, cause, reason, origin)
    with transaction() as session:
        state = {Cause.CANCELLED: "cancelled", Cause.PAUSED: "paused"}.get(cause, "failed")
        if runs.close(session, run_id, state, problem=document):
            _emit(reason, run, session)


def _emit(reason: Reason, run: Run, session: Session | None = None) -> None:
    emit_event(reason, project_id=run.project_id, actor=run.actor, run_id=run.id, parent_run_id=_parent(run), session=session)


def _parent(run: Run) -> str | None:
    """Evaluations and exports hang under their experiment, whoever started them; all else under its parent run."""
    return run.request.get("experiment") or run.parent_run_id


def _context(run: Run, figures: dict[str, float], on_progress: OnProgress | None) -> DirectContext:
    path = run_folder(run.id) / "progress.json"
    written = 0.0

    def progress(done: int, total: int | None, unit: str, more: dict[str, float]) -> None:
        nonlocal written
        figures.update(more, **{unit: done})
        if time.monotonic() - written > 0.5 and path.parent.exists():
            written = time.monotonic()
            write_json(path, {"done": done, "total": total, "unit": unit, "figures": more})
        if on_progress:
            on_progress(done, total, unit, more)

    def tell(reason: Reason) -> None:
        _emit(reason, run)

    return DirectContext(run_folder(run.id), progress, tell, lambda: cancel_requested(run.id))


def _log(run_id: str, error: BaseException) -> None:
    folder = run_folder(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError), (folder / "log.txt").open("a") as file:  # where the disk is full, the reason must still be told
        file.writelines(traceback.format_exception(error))
