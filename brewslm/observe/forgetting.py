"""Forgetting, seen: what it would change, and what it has changed."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.observe.events import EventView, event_view
from brewslm.pipeline.forget import ForgetPlan, plan, project_holding
from brewslm.store.database import reading
from brewslm.store.tables import ForgottenFile, ForgottenRow, RunEvent

REASON = "row_forgotten"


class ForgottenState(BaseModel):
    """By which run, and when, a row's text was removed; the actor asked for it."""

    run_id: str
    actor: str | None
    at: datetime


def forget_plan(row_id: str, equal: bool = False) -> ForgetPlan:
    """What forgetting a row would change, where, and who saw the row. Nothing is changed.

    Raises:
        StageError(UnknownRow): No project knows this id.
    """
    with reading() as session:
        return plan(session, project_holding(session, row_id), row_id, equal)


def forgotten_state(session: Session, project: int, row_id: str) -> ForgottenState | None:
    """None of a row that was not forgotten."""
    found = session.get(ForgottenRow, (project, row_id))
    if found is None:
        return None
    told = _told(session, project, found.run_id)
    return ForgottenState(run_id=found.run_id, actor=told.actor if told else None, at=found.created_at)


def _told(session: Session, project: int, run_id: str) -> EventView | None:
    query = select(RunEvent).where(RunEvent.project_id == project, RunEvent.run_id == run_id, RunEvent.reason_code == REASON)
    event = session.scalars(query).first()
    return event_view(event) if event else None


class Excuses:
    """Why files have other hashes than were written down: rows of them were forgotten.

    Args:
        project: Whose files they are.
    """

    def __init__(self, session: Session, project: int) -> None:
        self._next: dict[str, list[ForgottenFile]] = {}
        for one in session.scalars(select(ForgottenFile).where(ForgottenFile.project_id == project).order_by(ForgottenFile.id)):
            self._next.setdefault(one.old_sha256, []).append(one)

    def why(self, expected: str, found: str) -> str:
        """Which runs lead from the one hash to the other, in words; "" where none do."""
        waiting: list[tuple[str, tuple[str, ...]]] = [(expected, ())]
        seen = {expected}
        while waiting:
            now, runs = waiting.pop()
            if now == found and runs:
                return f"a row was forgotten since, by {', '.join(dict.fromkeys(runs))}"
            for one in self._next.get(now, ()):
                if one.new_sha256 not in seen:
                    seen.add(one.new_sha256)
                    waiting.append((one.new_sha256, (*runs, one.run_id)))
        return ""

    def of(self, path: str) -> str:
        """Which runs have changed a file, in words; "" where none did."""
        runs = [one.run_id for every in self._next.values() for one in every if one.path == path]
        return f"a row was forgotten since, by {', '.join(dict.fromkeys(runs))}" if runs else ""
