"""How events are appended to their chains: the newest link is read, the next ones are made, and all go in by one statement.

It is done by the driver's own cursor: what SQLAlchemy does around a statement takes ten times as long as the statement.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Connection, Table

from brewslm.audit.chain import GENESIS, canonical, hash_of, payload_hash
from brewslm.audit.rows import HASHED
from brewslm.reasons import Reason
from brewslm.store.tables import RunEvent

EVENTS: Table = RunEvent.__table__  # type: ignore[assignment]
LOCK_SECONDS = 8.0
"""The longest wait for whoever writes events now."""
Link = tuple[int, str]
"""A sequence and the hash there."""
Row = tuple[Any, ...]
"""The values of `WRITTEN`."""
WRITTEN = (*HASHED, "previous_hash", "hash", "written_at", "payload_hash")
PROJECT, SEQUENCE, HASH = (WRITTEN.index(name) for name in ("project_id", "sequence", "hash"))


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


class Chains:
    """The chains of a database that is held for writing: on SQLite by BEGIN IMMEDIATE, on Postgres chain by chain.

    Args:
        cursor: The driver's, in the transaction of whoever writes.
        is_sqlite: Else it is Postgres.
    """

    def __init__(self, cursor: Any, is_sqlite: bool) -> None:
        self._cursor, self._is_sqlite = cursor, is_sqlite
        self._statements = _SQLITE if is_sqlite else _POSTGRES

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """In a transaction of SQLAlchemy's."""
        return cls(connection.connection.cursor(), connection.dialect.name == "sqlite")

    def append(self, drafts: Sequence[Draft]) -> list[Link]:
        """Append events to their projects' chains, in their order; returns the link of each."""
        rows = chained(self.newest({draft.project_id for draft in drafts}), drafts)
        self.write(rows)
        return [(row[SEQUENCE], row[HASH]) for row in rows]

    def newest(self, projects: set[int]) -> dict[int, Link]:
        """The newest link of each project's chain, held against other writers until the transaction ends."""
        return {project: self._newest(project) for project in sorted(projects)}

    def _newest(self, project: int) -> Link:
        ask = self._cursor.execute
        if not self._is_sqlite:  # SQLite has one writer; Postgres needs one a chain
            ask(f"SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}")
            ask("SELECT pg_advisory_xact_lock(%s)", (project,))
            ask("SET LOCAL lock_timeout = DEFAULT")
        found = ask(self._statements.newest, (project,)).fetchone()
        return tuple(found) if found else (0, GENESIS)

    def write(self, rows: Sequence[Row]) -> None:
        """One statement for all of them."""
        self._cursor.executemany(self._statements.insert, rows)

    def identity(self) -> str:
        """What tells this database from others; made with it."""
        uid: str = self._cursor.execute("SELECT uid FROM database_identity").fetchone()[0]
        return uid


def chained(heads: Mapping[int, Link], drafts: Sequence[Draft]) -> list[Row]:
    """The rows of the table that follow from the newest links."""
    at, now, rows = dict(heads), moment(), list[Row]()
    for draft in drafts:
        sequence, previous = at[draft.project_id]
        body = (
            draft.project_id, sequence + 1, draft.ts or now, draft.stage, draft.severity, draft.reason_code, draft.run_id,
            draft.parent_run_id, draft.actor, draft.payload,
        )  # fmt: skip
        written_at = now if draft.is_late else None
        hash_ = hash_of((previous, *body, written_at) if written_at else (previous, *body))
        rows.append((*body, previous, hash_, written_at, payload_hash(draft.payload)))
        at[draft.project_id] = (sequence + 1, hash_)
    return rows


@dataclass(frozen=True)
class _Statements:
    newest: str
    insert: str


def _statements(mark: str) -> _Statements:
    return _Statements(
        f"SELECT sequence, hash FROM run_events WHERE project_id = {mark} ORDER BY sequence DESC LIMIT 1",
        f"INSERT INTO run_events ({', '.join(WRITTEN)}) VALUES ({', '.join([mark] * len(WRITTEN))})",
    )


_SQLITE, _POSTGRES = _statements("?"), _statements("%s")


def _json(reason: Reason) -> str:
    payload = reason.payload()
    try:
        return canonical(payload)
    except TypeError:  # half a surrogate pair, as in the name of a file that is no UTF-8
        return canonical(json.loads(_plain(json.dumps(payload, ensure_ascii=False))))


def _plain(words: str) -> str:
    return words.encode("utf-8", "replace").decode()
