"""The queue's worker: takes queued runs from our table, and has DBOS order, limit and recover them.

The run row is the only status; DBOS knows a run's id and nothing else. See docs/decisions/0006-queue.md.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from brewslm.audit import bring_back, emit_event, unmet
from brewslm.audit.chain import canonical
from brewslm.errors import StageError
from brewslm.pipeline import execute, schedules
from brewslm.pipeline.lifecycle import OPERATIONS
from brewslm.reasons.refusals import WorkerNameTaken
from brewslm.reasons.system import ChainBroken
from brewslm.settings import settings
from brewslm.store.database import reading
from brewslm.store.locks import Held, is_held, lock
from brewslm.store.tables import Run, RunEvent

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
SCHEDULES_POLL_SECONDS = 1.0
"""How soon DBOS's scheduler sees a schedule that is new."""
LIGHT_AT_ONCE = 4


def perform_run(run_id: str) -> str:
    """The workflow: perform one run. How the run ended stands in its row, so the workflow itself always ends well."""
    try:
        execute.perform(run_id)
    except execute.RunFailed:
        pass  # an end like any other; raising it would have DBOS keep the error a second time
    except StageError as refusal:
        log.warning("%s is left to whoever executes it: %s", run_id, refusal)
    except Exception as crash:  # noqa: BLE001 - the worker: a run that can't be begun is closed, and the next one is taken
        execute.abandon(run_id, crash)
    return run_id


def worker_lock(name: str) -> Path:
    """Held by the worker of this name for as long as it works."""
    return settings().home / "locks" / f"worker-{name}"


def check_name(name: str) -> None:
    """Say beforehand what `working` would refuse.

    Raises:
        StageError(WorkerNameTaken): A worker of this name is at work in this home.
    """
    if is_held(worker_lock(name)):
        raise StageError(WorkerNameTaken(), f"Worker {name} was not started", where=str(settings().home))


@contextmanager
def working(name: str = "main") -> Iterator[None]:
    """Take and perform queued runs for as long as the block lasts.

    A run that this worker had begun when it was killed is begun again at once. At the end of the block no run is waited for:
    what is running is cut off when the process ends, and resumed by the next worker of this name.

    Raises:
        StageError(WorkerNameTaken): A worker of this name is at work in this home.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(lock(worker_lock(name), wait=False))
        except Held:
            check_name(name)
            raise
        bring_back()
        tell_broken_chains()
        _launch(name)
        stop = threading.Event()
        ticking = schedules.Ticking(_dbos(), _tick(), "light")
        dispatcher = threading.Thread(target=_dispatch, args=(stop, ticking), daemon=True, name="dispatcher")
        dispatcher.start()
        try:
            yield
        finally:
            stop.set()
            dispatcher.join()
            _dbos().destroy()


def tell_broken_chains() -> None:
    """Emit what the chains no longer have of what this home noted; each once."""
    with reading() as session:
        told = set(session.scalars(select(RunEvent.payload).where(RunEvent.reason_code == ChainBroken.code)))
        faults = unmet(session)
    for fault in faults:
        reason = ChainBroken(kind=fault.kind.value, sequence=fault.sequence, event_id=fault.event_id)
        if canonical(reason.payload()) not in told:
            emit_event(reason, project_id=fault.project_id, actor="worker")


def _dbos() -> Any:
    from dbos import DBOS

    return DBOS


@cache
def _workflow() -> Any:
    return _dbos().workflow(name="perform_run")(perform_run)


@cache
def _tick() -> Any:
    return _dbos().workflow(name="tick")(schedules.tick)


def _launch(name: str) -> None:
    """Start DBOS under a stable executor id: what this worker had begun when it died is recovered by it, and by no other."""
    from dbos import DBOSPortableJSONSerializer

    dbos = _dbos()
    dbos(
        config={
            "name": "brewslm",
            "system_database_url": settings().database_url or f"sqlite:///{settings().home / 'queue.sqlite'}",
            "executor_id": name,
            "application_version": "1",  # fixed: a new version of ours recovers what an old one had begun
            "serializer": DBOSPortableJSONSerializer(),  # the default is pickle
            "scheduler_polling_interval_sec": SCHEDULES_POLL_SECONDS,
            "log_level": "WARNING",
        }
    )
    _workflow()
    _tick()
    dbos.launch()
    for queue, at_once in (("light", LIGHT_AT_ONCE), ("heavy", 1)):
        dbos.register_queue(queue, worker_concurrency=at_once, polling_interval_sec=POLL_SECONDS, on_conflict="always_update")


def _dispatch(stop: threading.Event, ticking: schedules.Ticking) -> None:
    """Give DBOS each queued run of our table, whoever queued it: this process, a command with --detach, a server that died.

    And each schedule, whoever set it.
    """
    given: set[str] = set()
    while not stop.wait(POLL_SECONDS):
        try:
            ticking.sync()
        except Exception:  # the dispatcher: what can't be scheduled now must not keep queued runs waiting
            log.exception("schedules could not be given to the queue; trying again")
        try:
            queued = _queued()
            for workflow_id, run in queued.items():
                if workflow_id not in given:
                    _enqueue(workflow_id, run)
            given = set(queued)
        except Exception:  # the dispatcher: a database that is locked or away now may be there at the next look
            log.exception("queued runs could not be given to the queue; trying again")


def _queued() -> dict[str, Run]:
    """Queued runs, oldest first, by the id of their next attempt's workflow: DBOS begins a workflow of one id once."""
    with reading() as session:
        found = session.scalars(select(Run).where(Run.state == "queued").order_by(Run.created_at, Run.number))
        return {f"{run.id}:{run.attempt + 1}": run for run in found}


def _enqueue(workflow_id: str, run: Run) -> None:
    from dbos import SetWorkflowID

    operation = OPERATIONS.get(run.operation)
    heavy = operation is not None and (operation.heavy or operation.compose is not None)
    with SetWorkflowID(workflow_id):
        _dbos().enqueue_workflow("heavy" if heavy else "light", _workflow(), run.id)
