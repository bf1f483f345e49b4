"""The group committer: one thread a process that writes, in one transaction, the events that wait for it.

Each caller is answered once its event is on the disk, so that eight writers share one sync of the disk instead of waiting for
eight. A joined transaction does not come by here: see emit.py.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from brewslm.audit import heads, lost
from brewslm.audit.append import HASH, LOCK_SECONDS, PROJECT, SEQUENCE, Chains, Draft, Link, chained
from brewslm.settings import settings
from brewslm.store.database import brief_cursor, engine
from brewslm.store.locks import lock

EMIT_SECONDS = 10.0
"""A caller waits no longer."""
WRITE_SECONDS = 9.0
"""The longest that the statements of a group may take, that wait included."""
NOTE_SECONDS = 1.0
"""In a flood of events, between two notes of its heads, and two looks for events that were lost."""
IDLE_SECONDS = 0.05
"""Without another event, until both are done."""
MOST = 500
"""Events of one transaction."""


class NotWritten(Exception):
    """An event was not written in time.

    Attributes:
        link: What it was to be, when its transaction had begun: it may be written after all.
    """

    def __init__(self, why: str, link: Link | None = None) -> None:
        self.link = link
        super().__init__(why)


class _Waiting:
    """An event and whoever waits for it. Its fields are changed under the committer's condition alone."""

    __slots__ = ("answered", "draft", "error", "gave_up", "link")

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.answered = threading.Lock()
        self.answered.acquire()
        self.error: Exception | None = None
        self.gave_up = False
        self.link: Link | None = None


class Committer:
    """See the module. A thread is started with the first event, and lives as long as the process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._thread: threading.Thread | None = None
        self._busy_since: float | None = None
        self._rests = False
        self._heads: dict[tuple[Path, str, int], Link] = {}
        """By the home's file, database and project, those that are to be noted: see heads.py. The thread's own."""
        self._noted = 0.0

    def write(self, draft: Draft) -> None:
        """Returns once the event is durable.

        Raises:
            NotWritten: It is not, after `EMIT_SECONDS`; or at once when the thread hangs in an earlier group for that long.
            Exception: The database refused it.
        """
        mine = _Waiting(draft)
        with self._changed:
            since = self._busy_since
            if since is not None and time.monotonic() - since > EMIT_SECONDS:
                raise NotWritten("the writer of events hangs")
            self._start()
            self._waiting.append(mine)
            self._changed.notify_all()
        if not mine.answered.acquire(timeout=EMIT_SECONDS):
            with self._changed:
                mine.gave_up = True
                raise NotWritten(f"no answer in {EMIT_SECONDS:.0f} s", mine.link)
        if mine.error is not None:
            raise mine.error

    def settle(self) -> bool:
        """Wait until no event waits and what follows a group is done too; false when that takes longer than `EMIT_SECONDS`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_at_work(), EMIT_SECONDS)

    def _is_at_work(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and (bool(self._waiting) or not self._rests)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():  # it is not there after a fork
            self._thread = threading.Thread(target=self._work, daemon=True, name="events")
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._rests = not self._heads
                    self._changed.notify_all()
                    if not self._changed.wait(IDLE_SECONDS if self._heads else None) and self._heads:
                        break
                self._rests = False
                group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                self._busy_since = time.monotonic() if group else None
            error = self._commit(group) if group else None
            with self._changed:
                self._busy_since = None
            for each in group:
                each.error = error
                each.answered.release()
            if not group or time.monotonic() - self._noted > NOTE_SECONDS:
                self._note()
                lost.bring_back()

    def _commit(self, group: list[_Waiting]) -> Exception | None:
        try:
            is_sqlite = engine().dialect.name == "sqlite"
            with _turn(is_sqlite), brief_cursor(LOCK_SECONDS, WRITE_SECONDS) as cursor:
                chains = Chains(cursor, is_sqlite)
                database, newest = chains.identity(), chains.newest({each.draft.project_id for each in group})
                with self._changed:  # from here on a caller who gives up knows what his event would be
                    group = [each for each in group if not each.gave_up]
                    rows = chained(newest, [each.draft for each in group])
                    for each, row in zip(group, rows, strict=True):
                        each.link = (row[SEQUENCE], row[HASH])
                chains.write(rows)
        except Exception as error:  # noqa: BLE001 - the writer of events: each caller is told, and the thread lives on
            return error
        file = heads.path()
        self._heads |= {(file, database, row[PROJECT]): (row[SEQUENCE], row[HASH]) for row in rows}
        return None

    def _note(self) -> None:
        """The heads beside the database: at once when nothing more is to be written, and now and then in a flood."""
        by_database: dict[tuple[Path, str], dict[int, Link]] = {}
        for (file, database, project), link in self._heads.items():
            by_database.setdefault((file, database), {})[project] = link
        for (file, database), links in by_database.items():
            heads.note(file, database, links)
        self._heads, self._noted = {}, time.monotonic()


@contextmanager
def _turn(is_sqlite: bool) -> Iterator[None]:
    """On SQLite, processes queue for the write lock here: its own waiting is by trying again, and may starve one of eight."""
    if not is_sqlite:
        yield
        return
    with lock(_place(settings().home)):
        yield


@cache
def _place(home: Path) -> Path:
    return home / "locks" / "events"


COMMITTER = Committer()
