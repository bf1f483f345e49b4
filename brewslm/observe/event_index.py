"""Finds events by any filter, however many there are: on SQLite in an index of words, on Postgres in ordinary ones.

On SQLite a trigger enters each event into a full-text table, with a token for each exact filter and for each span of time that it
lies in; so that any filters together are one look-up that comes in the order of the ids, either way. The newest few events are
not in it yet, and are looked through one by one. What the index names is held against the filter again: it may miss, never lie.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, func, or_, select, text
from sqlalchemy.orm import Session

from brewslm.audit.filters import EventFilter, Phrase, stamp, words_of
from brewslm.store.tables import RunEvent

_TOKEN, _APART = "\ue000", "\ue001"
_KINDS = {"project_id": "p", "stage": "s", "severity": "v", "reason_code": "c", "actor": "a"}
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_SPANS = (("y", "%Y"), ("m", "%Y-%m"), ("d", "%Y-%m-%d"), ("h", "%Y-%m-%dT%H"), ("i", "%Y-%m-%dT%H:%M"))


def find(
    session: Session,
    wanted: EventFilter,
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int,
    runs: Sequence[str] | None = None,
) -> list[RunEvent]:
    """Events that fit, at most `limit`.

    Args:
        after: Those with a greater id, the oldest first. Left out: the newest first.
        before: Those with a smaller id.
        runs: Only those of one of these runs themselves.
    """
    if session.get_bind().dialect.name == "sqlite":
        return list(_found(session, wanted, after, before, limit, runs))
    query = select(RunEvent).where(*conditions(wanted, runs))
    return list(session.scalars(_paged(query, after, before).limit(limit)))


def fits(event: RunEvent, wanted: EventFilter, runs: Sequence[str] | None = None, *, by_words: bool = True) -> bool:
    """Whether an event is one of those; `by_words=False` leaves the text out."""
    return (
        all(getattr(event, name) == value for name, value in wanted.exact.items())
        and (wanted.run is None or wanted.run in (event.run_id, event.parent_run_id))
        and (runs is None or event.run_id in runs)
        and (wanted.since is None or event.ts >= stamp(wanted.since))
        and (wanted.until is None or event.ts < stamp(wanted.until))
        and (not by_words or wanted.text is None or _says(event, wanted.phrases))
    )


def payload_of(event: RunEvent) -> dict[str, Any]:
    """The payload; one that somebody tampered with until it can't be read is shown as it stands."""
    try:
        read = orjson.loads(event.payload)
    except orjson.JSONDecodeError:
        read = None
    return read if isinstance(read, dict) else {"unreadable": event.payload[:500]}


def _says(event: RunEvent, asked: list[Phrase]) -> bool:
    """Each phrase stands in one of the event's values."""
    said = [event.reason_code, event.actor, event.run_id or "", event.parent_run_id or "", *_values(payload_of(event))]
    words = [words_of(value) for value in said]
    return all(any(phrase.is_in(each) for each in words) for phrase in asked)


def _values(value: Any) -> Iterator[str]:
    """Texts and whole numbers, in any depth."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _values(each)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


# SQLite


def _found(
    session: Session, wanted: EventFilter, after: int | None, before: int | None, limit: int, runs: Sequence[str] | None
) -> Iterator[RunEvent]:
    indexed = session.scalar(text("SELECT indexed FROM event_search_state")) or 0
    match = _match(wanted, runs)
    if match is None:
        yield from session.scalars(_paged(select(RunEvent), after, before).limit(limit))
        return
    newest_query = _paged(select(RunEvent).where(RunEvent.id > indexed), after, before)
    left = limit
    if after is None:
        for event in session.scalars(newest_query):
            if left and fits(event, wanted, runs):
                left -= 1
                yield event
    position, ahead = after, after is not None
    while left:
        asked = left
        rows = _matched(session, match, position if ahead else None, before if ahead else position or before, ahead, asked)
        for event in rows:
            if fits(event, wanted, runs, by_words=False):
                left -= 1
                yield event
        if len(rows) < asked:
            break
        position = rows[-1].id
    if after is not None and left:
        for event in session.scalars(newest_query):
            if left and fits(event, wanted, runs):
                left -= 1
                yield event


def _matched(session: Session, match: str, after: int | None, before: int | None, ahead: bool, limit: int) -> list[RunEvent]:
    """The next events that the index names."""
    order = "ASC" if ahead else "DESC"
    query = text(
        f"SELECT rowid FROM event_search WHERE event_search MATCH :match AND rowid > :after AND rowid < :before "
        f"ORDER BY rowid {order} LIMIT :limit"
    )
    bounds = {"match": match, "after": after or 0, "before": before or 2**62, "limit": limit}
    ids = session.scalars(query, bounds).all()
    found = session.scalars(select(RunEvent).where(RunEvent.id.in_(ids)).order_by(RunEvent.id))
    return list(found)[:: 1 if ahead else -1]


def _match(wanted: EventFilter, runs: Sequence[str] | None) -> str | None:
    """What to look up; None when everything is wanted."""
    parts = [_token(_KINDS[name], value) for name, value in wanted.exact.items()]
    if wanted.run is not None:
        parts.append(f"({_token('r', wanted.run)} OR {_token('u', wanted.run)})")
    if runs is not None:
        parts.append(f"({' OR '.join(_token('r', run) for run in runs)})")
    if wanted.since is not None or wanted.until is not None:
        spans = spans_of(wanted.since or _EARLIEST, wanted.until or _LATEST)
        parts.append(f"({' OR '.join(_token(kind, span) for kind, span in spans)})")
    for phrase in wanted.phrases:
        quoted = '"' + " ".join(phrase.words) + '"'
        parts.append(f"{quoted} *" if phrase.open_ended else quoted)
    return " AND ".join(parts) or None


def _token(kind: str, value: Any) -> str:
    return f'"{_TOKEN}{kind}{str(value).encode().hex()}"'


def spans_of(since: datetime, until: datetime) -> list[tuple[str, str]]:
    """Years, months, days, hours and minutes that cover a time once, as few as can be: (kind, beginning of a stamp)."""
    at = max(since.astimezone(UTC), _EARLIEST).replace(second=0, microsecond=0)
    until = min(until.astimezone(UTC), _LATEST)
    found = []
    while at < until:
        kind, spelling = next(span for span in _SPANS if _begins(span[0], at) and (span[0] == "i" or _end(span[0], at) <= until))
        found.append((kind, at.strftime(spelling)))
        at = _end(kind, at)
    return found or [("i", "never")]


def _begins(kind: str, at: datetime) -> bool:
    parts = (at.month == 1, at.day == 1, at.hour == 0, at.minute == 0)
    return all(parts["ymdhi".index(kind) :])


def _end(kind: str, at: datetime) -> datetime:
    if kind == "y":
        return at.replace(year=at.year + 1)
    if kind == "m":
        return at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)
    return at + {"d": timedelta(days=1), "h": timedelta(hours=1), "i": timedelta(minutes=1)}[kind]


# Postgres, and whatever orders a query


def _paged(query: Select[RunEvent], after: int | None, before: int | None) -> Select[RunEvent]:
    if before is not None:
        query = query.where(RunEvent.id < before)
    if after is not None:
        query = query.where(RunEvent.id > after)
    return query.order_by(RunEvent.id.desc() if after is None else RunEvent.id)


def conditions(wanted: EventFilter, runs: Sequence[str] | None = None) -> list[ColumnElement[bool]]:
    """The filter as conditions of a query; `text` on Postgres alone."""
    found: list[ColumnElement[bool]] = [getattr(RunEvent, name) == value for name, value in wanted.exact.items()]
    if wanted.run is not None:
        found.append(or_(RunEvent.run_id == wanted.run, RunEvent.parent_run_id == wanted.run))
    if runs is not None:
        found.append(RunEvent.run_id.in_(runs))
    if wanted.since is not None:
        found.append(RunEvent.ts >= stamp(wanted.since))
    if wanted.until is not None:
        found.append(RunEvent.ts < stamp(wanted.until))
    if wanted.phrases:
        table = RunEvent
        words = func.event_words(table.reason_code, table.actor, table.run_id, table.parent_run_id, table.payload)
        asked = " & ".join(f"({' <-> '.join(phrase.words)}{':*' if phrase.open_ended else ''})" for phrase in wanted.phrases)
        found.append(words.op("@@")(func.to_tsquery("simple", asked)))
    return found
