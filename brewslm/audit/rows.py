"""The events of a chain as plain rows: a million are hashed in seconds, and would be made into objects in minutes."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
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
AT_ONCE = 5000
"""Rows that are fetched together."""


def rows_of(session: Session, project_id: int | None) -> Iterator[Row]:
    """Every event, or one project's, in the order of the chains."""
    query = select(*(getattr(RunEvent, name) for name in COLUMNS)).order_by(RunEvent.project_id, RunEvent.sequence)
    if project_id is not None:
        query = query.where(RunEvent.project_id == project_id)
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
