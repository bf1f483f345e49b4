"""How events are appended to their chains: the newest link is read, the next ones are made, and all go in by one statement."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Connection, Table, bindparam, insert, select, text

from brewslm.audit.chain import GENESIS, canonical, hash_of, payload_hash
from brewslm.reasons import Reason
from brewslm.store.tables import RunEvent

EVENTS: Table = RunEvent.__table__  # type: ignore[assignment]
LOCK_SECONDS = 8.0
"""The longest wait for whoever writes events now."""
Link = tuple[int, str]
"""A sequence and the hash there."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that has no place in a chain yet.

    Attributes:
        payload: Canonical JSON.
        ts: When it happened; None is the moment of writing.
        is_late: It could not be written when it happened: the moment of writing is kept beside it.
    """

    project_id: int
    stage: str
    severity: str
    reason_code: str
    run_id: str | None
    parent_run_id: str | None
    actor: str
    payload: str
    ts: str | None = None
    is_late: bool = False

    @classmethod
    def of(cls, reason: Reason, *, project_id: int, actor: str, run_id: str | None, parent_run_id: str | None) -> Self:
        """The draft of a reason."""
        said = (reason.stage.value, reason.severity.value, reason.code)
        return cls(project_id, *said, run_id, parent_run_id, _plain(actor), _json(reason))


def moment() -> str:
    """Now, as events tell it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def append(connection: Connection, drafts: Sequence[Draft]) -> list[Link]:
    """Append events to their projects' chains, in their order; returns the link of each.

    The connection must hold the database's write lock (on SQLite: by BEGIN IMMEDIATE).
    """
    rows = chained(newest(connection, {draft.project_id for draft in drafts}), drafts)
    write(connection, rows)
    return [(row["sequence"], row["hash"]) for row in rows]


def newest(connection: Connection, projects: set[int]) -> dict[int, Link]:
    """The newest link of each project's chain, held against other writers until the transaction ends."""
    return {project: _newest(connection, project) for project in sorted(projects)}


def _newest(connection: Connection, project: int) -> Link:
    if connection.dialect.name == "postgresql":  # SQLite has one writer; Postgres needs one a chain
        connection.execute(text(f"SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": project})
        connection.execute(text("SET LOCAL lock_timeout = DEFAULT"))
    found = connection.execute(_NEWEST, {"project": project}).first()
    return (found[0], found[1]) if found else (0, GENESIS)


def chained(heads: Mapping[int, Link], drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    """The rows of the table that follow from the newest links."""
    at, now, rows = dict(heads), moment(), list[dict[str, Any]]()
    for draft in drafts:
        sequence, previous = at[draft.project_id]
        row: dict[str, Any] = {
            "project_id": draft.project_id, "sequence": sequence + 1, "ts": draft.ts or now, "stage": draft.stage,
            "severity": draft.severity, "reason_code": draft.reason_code, "run_id": draft.run_id,
            "parent_run_id": draft.parent_run_id, "actor": draft.actor, "payload": draft.payload,
        }  # fmt: skip
        late = (now,) if draft.is_late else ()
        row |= {"hash": hash_of((previous, *row.values(), *late)), "previous_hash": previous}
        row |= {"written_at": now if draft.is_late else None, "payload_hash": payload_hash(draft.payload)}
        rows.append(row)
        at[draft.project_id] = (sequence + 1, row["hash"])
    return rows


def write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """One statement for all of them."""
    connection.execute(_INSERT, rows)


_INSERT = insert(EVENTS)
_NEWEST = (
    select(EVENTS.c.sequence, EVENTS.c.hash)
    .where(EVENTS.c.project_id == bindparam("project"))
    .order_by(EVENTS.c.sequence.desc())
    .limit(1)
)
"""Made once: to make a statement takes longer than to run it."""


def _json(reason: Reason) -> str:
    payload = reason.payload()
    try:
        return canonical(payload)
    except TypeError:  # half a surrogate pair, as in the name of a file that is no UTF-8
        return canonical(json.loads(_plain(json.dumps(payload, ensure_ascii=False))))


def _plain(words: str) -> str:
    return words.encode("utf-8", "replace").decode()
