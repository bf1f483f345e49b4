"""The stream as it is written: for one who waits at a terminal, and for many who listen to one server."""

import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brewslm.audit.filters import EventFilter
from brewslm.observe.event_index import find, fits
from brewslm.observe.events import LONGEST_PAGE, PAGE, EventView, event_view
from brewslm.store.database import reading
from brewslm.store.tables import RunEvent

POLL_SECONDS = 0.5
KEPT = 1_000
"""Events of a project that are held for those who listen; who is further behind reads them from the database."""


def follow(
    wanted: EventFilter, after: int | None = None, limit: int = PAGE, stop: threading.Event | None = None
) -> Iterator[EventView]:
    """Events that fit, oldest first, and then each as it is written, until `stop` is set.

    Args:
        after: Go on after this id; left out: begin with the newest `limit`.
    """
    stop = stop or threading.Event()
    with reading() as session:
        end = newest(session)
        first = [] if after is not None else find(session, wanted, before=end + 1, limit=limit)
        shown = [event_view(event) for event in reversed(first)]
    yield from shown
    seen = end if after is None else after
    while True:
        with reading() as session:
            end = newest(session)
            news = find(session, wanted, after=seen, before=end + 1, limit=LONGEST_PAGE) if end > seen else []
            shown = [event_view(event) for event in news]
        yield from shown
        behind = len(shown) == LONGEST_PAGE
        seen = shown[-1].id if behind else max(seen, end)
        if stop.wait(0 if behind else POLL_SECONDS):
            return


def newest(session: Session, project: int | None = None) -> int:
    """The id of the newest event; 0 when there is none."""
    if project is None:
        return session.scalar(select(func.max(RunEvent.id))) or 0
    query = select(RunEvent.id).where(RunEvent.project_id == project).order_by(RunEvent.sequence.desc()).limit(1)
    return session.scalar(query) or 0


class Channel:
    """One project's newest events, read once for everybody who listens.

    There is no task of its own: of those who wait, one looks for all. Whoever is cancelled leaves that to the next one.

    Args:
        end: The newest event's id, when it is opened.

    Attributes:
        looks: How often the database was asked for what is new.
    """

    def __init__(self, project: int, end: int) -> None:
        self.project = project
        self.listeners = 0
        self.looks = 0
        self._kept: deque[RunEvent] = deque()
        self._base = self._end = end
        """What is kept are the events after the one and up to the other."""
        self._looking = anyio.Lock()
        self._is_behind = False

    async def listen(self, wanted: EventFilter, seen: int | None) -> AsyncIterator[EventView]:
        """Events that fit and have a greater id than `seen`, for ever; the newest page first, where it is left out."""
        if seen is None:
            base = self._base
            for event in reversed(await self._read(wanted, None, base + 1, PAGE)):
                yield event_view(event)
            seen = base
        while True:
            if seen < self._base:
                base = self._base
                page = await self._read(wanted, seen, base + 1, LONGEST_PAGE)
                for event in page:
                    yield event_view(event)
                seen = page[-1].id if len(page) == LONGEST_PAGE else base
                continue
            fresh = [event for event in self._kept if event.id > seen]
            if not fresh:
                await self._wait()
                continue
            seen = fresh[-1].id
            for event in fresh:
                if fits(event, wanted):
                    yield event_view(event)

    async def _wait(self) -> None:
        """Until somebody has looked once more."""
        looks = self.looks
        async with self._looking:
            if self.looks == looks:
                await anyio.sleep(0 if self._is_behind else POLL_SECONDS)
                await self._look()

    async def _look(self) -> None:
        found = await anyio.to_thread.run_sync(partial(_after, self.project, self._end))
        self._is_behind = len(found) == LONGEST_PAGE
        self._kept.extend(found)
        self._end = found[-1].id if found else self._end
        while len(self._kept) > KEPT:
            self._base = self._kept.popleft().id
        self.looks += 1

    async def _read(self, wanted: EventFilter, after: int | None, before: int, limit: int) -> list[RunEvent]:
        return await anyio.to_thread.run_sync(partial(_page, wanted, after, before, limit))


def _after(project: int, seen: int) -> list[RunEvent]:
    with reading() as session:
        if newest(session, project) <= seen:
            return []
        return find(session, EventFilter(project=project), after=seen, limit=LONGEST_PAGE)


def _page(wanted: EventFilter, after: int | None, before: int, limit: int) -> list[RunEvent]:
    with reading() as session:
        return find(session, wanted, after=after, before=before, limit=limit)


class Channels:
    """The channels that somebody listens to."""

    def __init__(self) -> None:
        self._open: dict[int, Channel] = {}

    @asynccontextmanager
    async def joined(self, project: int) -> AsyncIterator[Channel]:
        """The project's channel, for as long as the block lasts."""
        if project not in self._open:
            end = await anyio.to_thread.run_sync(newest_of, project)
            self._open.setdefault(project, Channel(project, end))  # another may have opened it meanwhile
        channel = self._open[project]
        channel.listeners += 1
        try:
            yield channel
        finally:
            channel.listeners -= 1
            if not channel.listeners:
                del self._open[project]


def newest_of(project: int) -> int:
    """The id of the project's newest event; 0 when it has none."""
    with reading() as session:
        return newest(session, project)
