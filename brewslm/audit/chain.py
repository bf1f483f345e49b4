"""The hash chain: each event carries the hash of the one before it, so that no line can be changed unseen."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.store.tables import RunEvent

GENESIS = "0" * 64
_HASHED = ("project_id", "sequence", "ts", "stage", "severity", "reason_code", "run_id", "parent_run_id", "actor", "payload")


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: one value, one spelling."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def link(event: RunEvent) -> str:
    """SHA-256 of the event's fields and of the hash before it."""
    body = canonical([event.previous_hash, *(getattr(event, name) for name in _HASHED)])
    return hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True)
class Fault:
    """Where a chain is broken."""

    project_id: int
    sequence: int
    event_id: int | None
    what: str


def verify(session: Session, project_id: int | None = None) -> tuple[int, list[Fault]]:
    """Recompute every chain, or one project's.

    Returns:
        How many events were read, and each fault found. An edited event is named by its id; so is a missing one by its sequence.
    """
    query = select(RunEvent).order_by(RunEvent.project_id, RunEvent.sequence)
    if project_id is not None:
        query = query.where(RunEvent.project_id == project_id)
    faults: list[Fault] = []
    count = 0
    for count, fault in _walk(session.scalars(query.execution_options(yield_per=1000))):
        faults += [fault] if fault else []
    return count, faults


def _walk(events: Any) -> Iterator[tuple[int, Fault | None]]:
    project, sequence, previous = None, 0, GENESIS
    for count, event in enumerate(events, 1):
        if event.project_id != project:
            project, sequence, previous = event.project_id, 0, GENESIS
        fault = None
        if event.sequence != sequence + 1:
            fault = Fault(event.project_id, sequence + 1, None, f"events {sequence + 1} to {event.sequence - 1} are missing")
        elif event.hash != link(event):
            fault = Fault(event.project_id, event.sequence, event.id, "its content is not what was written")
        elif event.previous_hash != previous:
            fault = Fault(event.project_id, event.sequence, event.id, "it does not follow from the event before it")
        sequence, previous = event.sequence, event.hash
        yield count, fault
