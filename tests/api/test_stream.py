"""Live events from a real server, to many who listen, across reconnections: none is missed, none comes twice."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import httpx2
import orjson
import pytest

from brewslm.audit.filters import EventFilter
from brewslm.observe import following
from brewslm.observe.following import Channels
from tests.observe.stream import write
from tests.running import server, until


class Listener:
    """One who listens, in a thread: hangs up after each `patience` events, and comes back with the last id that it saw."""

    def __init__(self, url: str, patience: int, query: str = "") -> None:
        self.seen: list[int] = []
        self.done = threading.Event()
        self._url, self._patience, self._query = f"{url}/api/projects/1/events/stream{query}", patience, query
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self.done.is_set():
            headers = {"Last-Event-ID": str(self.seen[-1])} if self.seen else {}
            try:
                self._once(headers)
            except httpx2.TransportError:
                if not self.done.is_set():
                    raise

    def _once(self, headers: dict[str, str]) -> None:
        heard = 0
        with httpx2.stream("GET", self._url, headers=headers, timeout=60) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    self.seen.append(orjson.loads(line.removeprefix("data:"))["id"])
                    heard += 1
                if heard == self._patience or self.done.is_set():
                    return


@contextmanager
def listening(*listeners: Listener) -> Iterator[None]:
    try:
        yield
    finally:
        for one in listeners:
            one.done.set()


def test_across_reconnections_nothing_is_missed_and_nothing_comes_twice(home):
    with server(home) as serving:
        serving.post("/api/projects", json={"name": "p"})
        write(1, [{"payload": {"n": n}} for n in range(5)])
        everybody = [Listener(serving.url, patience) for patience in (1, 3, 10_000)]
        errors = Listener(serving.url, 2, "?severity=error")
        with listening(*everybody, errors):
            until(lambda: all(one.seen == [1, 2, 3, 4, 5] for one in everybody), "the first page")
            for batch in range(12):
                write(1, [{"severity": "error" if n % 10 == 0 else "info", "payload": {"n": n}} for n in range(1 + 2 * batch)])
            last = 5 + sum(1 + 2 * batch for batch in range(12))
            until(lambda: all(one.seen[-1] == last for one in everybody), "the last event")
            for one in everybody:
                assert one.seen == list(range(1, last + 1))
            until(lambda: len(errors.seen) == 12 + sum(2 * batch // 10 for batch in range(12)), "every error")
            assert errors.seen == sorted(set(errors.seen))


@pytest.mark.anyio
async def test_many_listeners_cost_one_look(project, monkeypatch):
    monkeypatch.setattr(following, "POLL_SECONDS", 0.01)
    channels = Channels()
    heard: dict[int, list[int]] = {number: [] for number in range(50)}

    async def listen(number: int) -> None:
        async with channels.joined(project) as channel:
            async for event in channel.listen(EventFilter(project=project), 0):
                heard[number].append(event.id)
                if event.id == 30:
                    return

    async with anyio.create_task_group() as group:
        for number in heard:
            group.start_soon(listen, number)
        async with channels.joined(project) as channel:
            before, began = channel.looks, anyio.current_time()
            for _ in range(10):
                await anyio.to_thread.run_sync(write, project, [{} for _ in range(3)])
            looks, seconds = channel.looks - before, anyio.current_time() - began
    assert all(ids == list(range(1, 31)) for ids in heard.values())
    # One who looks waits before each look; how many of them there is time for hangs on how fast the disk takes the events.
    assert looks <= seconds / following.POLL_SECONDS + 1, "fifty who listen must not look fifty times"


@pytest.mark.anyio
async def test_who_falls_behind_what_is_kept_reads_the_rest_from_the_database(project, monkeypatch):
    monkeypatch.setattr(following, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(following, "KEPT", 4)
    channels = Channels()
    async with channels.joined(project) as channel:
        slow, quick = channel.listen(EventFilter(project=project), 0), channel.listen(EventFilter(project=project), 0)
        await anyio.to_thread.run_sync(write, project, [{} for _ in range(3)])
        assert [(await anext(quick)).id for _ in range(3)] == [1, 2, 3]
        assert (await anext(slow)).id == 1
        for _ in range(4):
            await anyio.to_thread.run_sync(write, project, [{} for _ in range(5)])
        assert [(await anext(quick)).id for _ in range(20)] == list(range(4, 24))
        assert [(await anext(slow)).id for _ in range(22)] == list(range(2, 24))
    assert channels._open == {}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
