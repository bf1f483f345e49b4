"""The events that the Lab Journal reads, in their order: those of the codes that its rules know, and failures.

On SQLite a range of events comes as one row, whose columns hold the values of all of them; and their payloads are parsed
together, as one list. So neither the driver nor the parser is called for each of a million.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import orjson
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from brewslm.observe.journal_replay import READ, Event
from brewslm.store.tables import RunEvent

AT_ONCE = 2000
_APART = "\x1f"
_ONE_BY_ONE = "id, project_id, ts, reason_code, run_id, payload"
_TOGETHER = (
    "group_concat(id), group_concat(project_id), group_concat(ts, char(31)), group_concat(reason_code, char(31)), "
    "group_concat(coalesce(run_id, ''), char(31)), group_concat(payload)"
)


def parts(session: Session, project: int | None) -> Iterator[Iterable[Event]]:
    """The events of one project, or of all, a part at a time.

    One whose payload somebody tampered with until it can't be read is left out.
    """
    by_severity = select(RunEvent.id).where(RunEvent.severity.in_(("error", "critical")))
    failures = set(session.scalars(by_severity if project is None else by_severity.where(RunEvent.project_id == project)))
    for events in _ranges(session, project):
        is_read = {event[3] for event in events} <= READ
        yield events if is_read else [event for event in events if event[3] in READ or event[0] in failures]


def _ranges(session: Session, project: int | None) -> Iterator[Sequence[Event]]:
    """By growing id; of one project by growing sequence, which is the same order and has an index too."""
    place, of_it = ("id", "") if project is None else ("sequence", "project_id = :project AND ")
    within = f"FROM run_events WHERE {of_it}{place} BETWEEN :first AND :last"
    next_ = text(f"SELECT min({place}) FROM run_events WHERE {of_it}{place} > :last")
    together, one_by_one = text(f"SELECT {_TOGETHER} {within}"), text(f"SELECT {_ONE_BY_ONE} {within} ORDER BY {place}")
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    bounds: dict[str, Any] = {"last": 0} | ({} if project is None else {"project": project})
    while (first := session.scalar(next_, bounds)) is not None:
        bounds |= {"first": first, "last": first + AT_ONCE - 1}
        events = _together(session.execute(together, bounds).one()) if is_sqlite else None
        yield events or list(_one_by_one(session.execute(one_by_one, bounds).all()))


def _together(columns: Sequence[str]) -> list[Event] | None:
    """None when a value is not what it should be, or they came in another order: then they are read one by one."""
    try:
        ids, projects, payloads = (orjson.loads(f"[{column}]") for column in (columns[0], columns[1], columns[5]))
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
