"""Schedules tick: DBOS's scheduler begins a small workflow at each due time, which queues the check as anybody would.

Our table says what is wanted, and every worker gives it to DBOS. A tick counts once, over workers and restarts: the workflow's id
has its time, and the run that it queues has the key of (schedule, time). See docs/decisions/0018-ticks.md.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from brewslm.asking import asking
from brewslm.errors import StageError
from brewslm.pipeline import execute
from brewslm.pipeline.runs import view
from brewslm.reasons.refusals import IdempotencyConflict
from brewslm.stages.deploy.cron import due_between
from brewslm.stages.deploy.drift import CheckRequest
from brewslm.store.database import reading, transaction
from brewslm.store.tables import DriftSchedule, Run, Slot

ACTOR = "schedule"
log = logging.getLogger(__name__)


def tick(due: Any, schedule_id: Any) -> str:
    """The workflow of one due time. It always ends well: what came of the check stands in its run."""
    try:
        return handle(int(schedule_id), datetime.fromisoformat(due) if isinstance(due, str) else due) or ""
    except Exception:  # the tick: a schedule that can't be kept now must not end the worker, and the next tick comes
        log.exception("a tick of schedule %s could not be seen to", schedule_id)
        return ""


def handle(schedule_id: int, due: datetime) -> str | None:
    """Queue the check that is due; returns its run's id.

    None where there is nothing to do: it was seen to already, the schedule rests or is gone, no version is promoted, or the check
    before is still at work. Only then is the time marked as seen to, so that a worker that is killed before begins it again.
    """
    with reading() as session:
        schedule = session.get(DriftSchedule, schedule_id)
        if schedule is None or schedule.is_paused or due <= schedule.handled_until:
            return None
        slot = session.get(Slot, (schedule.project_id, schedule.slot))
        former = session.get(Run, schedule.last_run_id) if schedule.last_run_id else None
    missed = due_between(schedule.cron, schedule.timezone, schedule.handled_until, due)[1] - 1
    run_id = None
    if former is not None and view(former).state in ("queued", "running"):
        missed += 1
    elif slot is not None and slot.version_id is not None:
        run_id = _queued(schedule, slot.version_id, due)
    with transaction() as session:
        table = DriftSchedule
        seen = update(table).where(table.id == schedule_id, table.handled_until == schedule.handled_until)
        session.execute(
            seen.values(handled_until=due, missed=table.missed + max(0, missed), last_run_id=run_id or schedule.last_run_id)
        )
    return run_id


def _queued(schedule: DriftSchedule, version_id: int, due: datetime) -> str | None:
    request = CheckRequest(
        deployment=version_id, gold_set=schedule.gold_set, tolerance=schedule.tolerance, rollback=schedule.rollback
    )
    key = f"drift-schedule:{schedule.id}:{due.astimezone(UTC).isoformat()}"
    try:
        with asking("schedule"):
            return execute.queue(ACTOR, request, idempotency_key=key).task_id
    except StageError as error:
        if isinstance(error.reason, IdempotencyConflict):  # another worker saw to it, just before the slot was moved
            return None
        raise


def catch_up(now: datetime) -> list[str]:
    """What was due while no worker was there: for each schedule the newest alone; the others are counted as missed."""
    with reading() as session:
        known = list(session.scalars(select(DriftSchedule).where(DriftSchedule.is_paused.is_(False))))
    queued = []
    for schedule in known:
        newest, _ = due_between(schedule.cron, schedule.timezone, schedule.handled_until, now)
        if newest is not None and (run_id := handle(schedule.id, newest)):
            queued.append(run_id)
    return queued


class Ticking:
    """Keeps DBOS's schedules like our table; one a worker.

    Args:
        dbos: The class DBOS, launched.
        workflow: `tick`, registered.
        queue: The name of the queue that its workflows go through.
    """

    def __init__(self, dbos: Any, workflow: Any, queue: str) -> None:
        self._dbos, self._workflow, self._queue = dbos, workflow, queue
        self._given: dict[str, tuple[str, str]] | None = None

    def sync(self) -> None:
        """Give DBOS what is new or changed, and take from it what is gone or rests. The first time also what was missed."""
        with reading() as session:
            table = DriftSchedule
            found = session.execute(select(table.id, table.cron, table.timezone).where(table.is_paused.is_(False))).tuples()
            wanted = {f"{_PREFIX}{number}": (cron, timezone) for number, cron, timezone in found}
        if self._given is None:
            catch_up(datetime.now(UTC))
            self._given = {
                one["schedule_name"]: (one["schedule"], one.get("cron_timezone") or "UTC")
                for one in self._dbos.list_schedules(schedule_name_prefix=_PREFIX)
            }
        for name in self._given.keys() - wanted.keys():
            self._dbos.delete_schedule(name)
        changed = [name for name, when in wanted.items() if self._given.get(name) != when]
        if changed:
            self._dbos.apply_schedules([self._as_given(name, *wanted[name]) for name in changed])
        self._given = wanted

    def _as_given(self, name: str, cron: str, timezone: str) -> dict[str, Any]:
        return {
            "schedule_name": name, "workflow_fn": self._workflow, "schedule": cron, "cron_timezone": timezone,
            "context": int(name.removeprefix(_PREFIX)), "queue_name": self._queue, "automatic_backfill": False,
        }  # fmt: skip


_PREFIX = "drift-"
