"""The run row: the only status. Every change of state is a compare-and-set, so that nothing closes twice."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from brewslm.settings import settings
from brewslm.store.locks import is_held
from brewslm.store.tables import Run, now

ENDED = ("succeeded", "failed", "cancelled")


class RunView(BaseModel):
    """A run as every face shows it.

    Attributes:
        task_id: The run's id, such as "exp-1".
        state: queued, running, interrupted (running, but nobody holds its lock), succeeded, failed, cancelled,
            paused (it waits to be resumed).
        progress: Last told {done, total, unit, figures}; only while it runs.
    """

    task_id: str
    operation: str
    project: int | None
    parent_run_id: str | None
    actor: str
    state: str
    attempt: int
    request: dict[str, Any]
    result: dict[str, Any] | None
    problem: dict[str, Any] | None
    progress: dict[str, Any] | None = None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def run_lock_path(run_id: str) -> Any:
    """Whoever executes a run holds this lock."""
    return settings().home / "locks" / f"run-{run_id}"


def shown_state(run_id: str, state: str) -> str:
    """A run that runs, while nobody holds its lock, is interrupted."""
    return "interrupted" if state == "running" and not is_held(run_lock_path(run_id)) else state


def view(run: Run, progress: dict[str, Any] | None = None) -> RunView:
    """The row as a view."""
    return RunView(
        task_id=run.id, operation=run.operation, project=run.project_id, parent_run_id=run.parent_run_id, actor=run.actor,
        state=shown_state(run.id, run.state), attempt=run.attempt, request=run.request, result=run.result, problem=run.problem,
        progress=progress, created_at=run.created_at, started_at=run.started_at, ended_at=run.ended_at,
    )  # fmt: skip


def create(
    session: Session,
    *,
    kind: str,
    operation: str,
    project_id: int | None,
    actor: str,
    request: dict[str, Any],
    parent: str | None,
    idempotency_key: str | None,
    state: str = "queued",
) -> Run:
    """A run with the next number of its kind.

    Args:
        state: "queued" for the workers to take; "running" for one that its creator performs himself, and no worker may take.
    """
    number = (session.scalar(select(func.max(Run.number)).where(Run.kind == kind)) or 0) + 1
    run = Run(
        id=f"{kind}-{number}", kind=kind, number=number, operation=operation, project_id=project_id, parent_run_id=parent,
        actor=actor, state=state, request=request, idempotency_key=idempotency_key, cancel_requested=False, attempt=0,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run


def start(session: Session, run_id: str) -> bool:
    """queued, running (interrupted) → running. False when it has ended already; `reopen` makes such a run ready again."""
    changed = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.state.in_(("queued", "running")))
        .values(state="running", attempt=Run.attempt + 1, started_at=now(), ended_at=None, problem=None)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def begin_attempt(session: Session, run_id: str) -> int:
    """Count one more attempt of a run that goes on running; returns how many there are."""
    session.execute(update(Run).where(Run.id == run_id).values(attempt=Run.attempt + 1))
    return session.scalars(select(Run.attempt).where(Run.id == run_id)).one()


def reopen(session: Session, run_id: str, state: str) -> None:
    """failed, cancelled, paused, interrupted → `state`, for a resume: "queued" for the workers, "running" for the caller.

    The runs that are part of it and failed are made ready with it: it performs them when it comes to them.
    """
    ready = {"cancel_requested": False, "problem": None, "ended_at": None}
    session.execute(
        update(Run)
        .where(Run.id == run_id, Run.state.in_(("failed", "cancelled", "paused", "running", "queued")))
        .values(state=state, **ready)
    )
    parts = (Run.parent_run_id == run_id, Run.state.in_(("failed", "cancelled", "paused")))
    session.execute(update(Run).where(*parts).values(state="running", **ready))


def close(
    session: Session, run_id: str, state: str, *, result: dict[str, Any] | None = None, problem: dict[str, Any] | None = None
) -> bool:
    """running → an end. False when somebody closed it already: then nothing of this execution counts."""
    changed = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.state.in_(("running", "queued")))
        .values(state=state, result=result, problem=problem, ended_at=now())
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]
