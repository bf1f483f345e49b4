"""Replays of the Lab Journal that this process goes on with, so that no event is read twice for a page.

The stream grows at its end alone, and each event's hash stands for all before it: while the last event that was read has the hash
that it had, the replay is that of a stream read from its beginning. Where it has not, that is what is done.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.observe.journal_replay import Replay
from brewslm.observe.journal_stream import parts
from brewslm.settings import settings
from brewslm.store.tables import RunEvent

MOST_AWARDS = 1_500_000
"""Kept of all projects together; the replay that was asked for last is kept in any case."""


@dataclass
class _Kept:
    replay: Replay = field(default_factory=Replay)
    hash: str = ""
    """Of the last event in it."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Whoever asks while another reads waits, and finds it read."""


_KEPT: OrderedDict[tuple[str, int], _Kept] = OrderedDict()
_CHOOSING = threading.Lock()


@contextmanager
def replayed(session: Session, project: int | None) -> Iterator[Replay]:
    """The journal of a project up to its newest event, to be looked at inside the context alone; of all projects, read anew."""
    if project is None:
        yield _fed(Replay(), session, None)
        return
    kept = _kept(project)
    with kept.lock:
        if kept.replay.last_id and _hash_of(session, project, kept.replay.last_id) != kept.hash:
            kept.replay = Replay()
        replay, kept.replay = kept.replay, Replay()  # what is cut off while it reads is not gone on with
        _fed(replay, session, project)
        kept.replay, kept.hash = replay, _hash_of(session, project, replay.last_id)
        yield replay
    _let_go()


def forget_replays() -> None:
    """Read every stream anew when it is next asked for."""
    with _CHOOSING:
        _KEPT.clear()


def _kept(project: int) -> _Kept:
    with _CHOOSING:
        key = (settings().resolved_database_url, project)
        found = _KEPT.setdefault(key, _Kept())
        _KEPT.move_to_end(key)
        return found


def _let_go() -> None:
    with _CHOOSING:
        while len(_KEPT) > 1 and sum(len(one.replay.earned) for one in _KEPT.values()) > MOST_AWARDS:
            _KEPT.popitem(last=False)


def _fed(replay: Replay, session: Session, project: int | None) -> Replay:
    for part in parts(session, project, replay.last_id):
        replay.feed(part)
    return replay


def _hash_of(session: Session, project: int, event: int) -> str:
    found = session.scalar(select(RunEvent.hash).where(RunEvent.id == event, RunEvent.project_id == project))
    return found or ""
