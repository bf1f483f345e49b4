"""The events of a chain as plain rows: a million are hashed in seconds, and would be made into objects in minutes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from brewslm.store.tables import RunEvent

HASHED = ("project_id", "sequence", "ts", "stage", "severity", "reason_code", "run_id", "parent_run_id", "actor", "payload")
"""In the order of the hashed body, which begins with the hash before; `written_at` ends the body of an event that came late."""
COLUMNS = ("id", "previous_hash", *HASHED, "written_at", "hash")
ID, PREVIOUS, PROJECT, SEQUENCE, TS, RUN, PAYLOAD, LATE, HASH = (
    COLUMNS.index(name)
    for name in ("id", "previous_hash", "project_id", "sequence", "ts", "run_id", "payload", "written_at", "hash")
)
Row = tuple[Any, ...]
"""The values of `COLUMNS`; its slice from PREVIOUS up to LATE is the body that was hashed."""
AT_ONCE = 2000
"""Rows that are fetched together."""


TOGETHER = (
    "group_concat(sequence), group_concat(previous_hash), group_concat(hash), group_concat(ts), count(written_at), "
    "group_concat(coalesce(run_id, '')), group_concat(json_array(previous_hash, project_id, sequence, ts, stage, severity, "
    "reason_code, run_id, parent_run_id, actor, payload), char(31))"
)
"""Of a range of events, what tells whether they follow each other; the last column has their hashed bodies."""


@dataclass(frozen=True, slots=True)
class Range:
    """Events of one project that follow each other by sequence, as one row of SQLite has them all."""

    sequences: list[str]
    previous: list[str]
    hashes: list[str]
    moments: list[str]
    runs: list[str]
    """Of each event; "" of none."""
    bodies: list[str]


def range_of(session: Session, project_id: int, first: int, last: int) -> Range | None:
    """The events from one sequence to another; None when one came late or has a value that can't be told so."""
    query = text(f"SELECT {TOGETHER} FROM run_events WHERE project_id = :project AND sequence BETWEEN :first AND :last")
    try:
        found = session.execute(query, {"project": project_id, "first": first, "last": last}).one()
    except OperationalError:  # a value that JSON can't hold
        return None
    if found[0] is None or found[4] or not all(isinstance(found[place], str) for place in (0, 1, 2, 3, 5, 6)):
        return None
    sequences, previous, hashes, moments = (found[place].split(",") for place in (0, 1, 2, 3))
    return Range(sequences, previous, hashes, moments, found[5].split(","), found[6].split("\x1f"))


def rows_of(session: Session, project_id: int | None, first: int = 0, last: int | None = None) -> Iterator[Row]:
    """Every event, or one project's, in the order of the chains; of one project, those from one sequence to another."""
    query = select(*(getattr(RunEvent, name) for name in COLUMNS)).order_by(RunEvent.project_id, RunEvent.sequence)
    if project_id is not None:
        query = query.where(RunEvent.project_id == project_id)
    if last is not None:
        query = query.where(RunEvent.sequence.between(first, last))
    connection = session.connection()
    asked = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    raw = connection.connection  # the driver's own rows: half of the time would go into wrapping them
    cursor = raw.cursor() if connection.dialect.name == "sqlite" else raw.cursor("events")  # the latter stays on the server
    try:
        cursor.execute(asked)
        while rows := cursor.fetchmany(AT_ONCE):
            yield from rows
    finally:
        cursor.close()
