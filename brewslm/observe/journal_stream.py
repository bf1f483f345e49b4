"""The events that the Lab Journal reads, in their order: those of the codes that its rules know, and failures.

On SQLite a range of events comes as one row, whose columns hold the values of all of them; and their payloads are parsed
together, as one list. So neither the driver nor the parser is called for each of a million.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, cast

import orjson
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from brewslm.observe.journal_replay import READ, Event
from brewslm.store.tables import RunEvent

AT_ONCE = 120
"""So few that a part is gone before Python's collector of cycles looks at it: with more, a third of the time would be its."""
_FROM_SERVER = 2000
_APART = "\x1f"
_ONE_BY_ONE = "id, project_id, ts, reason_code, run_id, payload"
_TOGETHER = (
    "group_concat(id), {project}, group_concat(ts, char(31)), group_concat(reason_code, char(31)), "
    "group_concat(coalesce(run_id, ''), char(31)), group_concat(payload)"
)


def parts(session: Session, project: int | None, after: int = 0) -> Iterator[Iterable[Event]]:
    """The events of one project, or of all, a part at a time.

    Args:
        after: Those with a greater id alone.

    One whose payload somebody tampered with until it can't be read is left out.
    """
    by_severity = select(RunEvent.id).where(RunEvent.severity.in_(("error", "critical")), RunEvent.id > after)
    failures = set(session.scalars(by_severity if project is None else by_severity.where(RunEvent.project_id == project)))
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    for events in (_ranges if is_sqlite else _from_server)(session, project, after):
        is_read = READ.issuperset([event[3] for event in events])
        yield events if is_read else [event for event in events if event[3] in READ or event[0] in failures]


def _ranges(session: Session, project: int | None, after: int) -> Iterator[Sequence[Event]]:
    """By growing id; of one project by growing sequence, which is the same order and has an index too."""
    place, of_it = ("id", "") if project is None else ("sequence", f"project_id = {project:d} AND ")
    together = f"SELECT {_TOGETHER.format(project='group_concat(project_id)' if project is None else project)} "
    within = f"FROM run_events WHERE {of_it}{place} BETWEEN ? AND ?"
    cursor = session.connection().connection.cursor()  # the driver's own: nothing is wrapped
    last = after if project is None else session.scalar(select(RunEvent.sequence).where(RunEvent.id == after)) or 0
    while True:
        bounds = (last + 1, last + AT_ONCE)
        columns = cursor.execute(together + within, bounds).fetchone()
        if columns[0] is None:
            (first,) = cursor.execute(f"SELECT min({place}) FROM run_events WHERE {of_it}{place} > ?", (last,)).fetchone()
            if first is None:
                return
            last = first - 1
            continue
        events = _together(columns)
        yield events or list(_one_by_one(cursor.execute(f"SELECT {_ONE_BY_ONE} {within} ORDER BY {place}", bounds).fetchall()))
        last += AT_ONCE


def _from_server(session: Session, project: int | None, after: int) -> Iterator[Sequence[Event]]:
    of_it = "" if project is None else f"AND project_id = {project:d}"
    query = text(f"SELECT {_ONE_BY_ONE} FROM run_events WHERE id > :last {of_it} ORDER BY id LIMIT {_FROM_SERVER}")
    last = after
    while rows := session.execute(query, {"last": last}).all():
        last = rows[-1][0]
        yield list(_one_by_one(rows))


def _together(columns: Sequence[Any]) -> list[Event] | None:
    """None when a value is not what it should be, or they came in another order: then they are read one by one."""
    try:
        ids, payloads = orjson.loads(f"[{columns[0]}]"), orjson.loads(f"[{columns[5]}]")
        projects = repeat(columns[1], len(ids)) if isinstance(columns[1], int) else orjson.loads(f"[{columns[1]}]")
        texts = [column.split(_APART) for column in columns[2:5]]
        events = list(zip(ids, projects, *texts, payloads, strict=True))
    except ValueError:
        return None
    if ids != sorted(ids) or {*map(type, payloads)} != {dict}:
        return None
    return cast(list[Event], events)


def _one_by_one(rows: Sequence[Any]) -> Iterator[Event]:
    for *rest, payload in rows:
        try:
            read = orjson.loads(payload)
        except orjson.JSONDecodeError:
            continue
        if isinstance(read, dict):
            yield Event._make((*rest, read))
