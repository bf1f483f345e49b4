"""How a request of a slot comes to a model server: its turn, the version of that moment, another server when one is gone."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import TypeVar

import aiohttp
import anyio

from brewslm.errors import StageError
from brewslm.reasons.refusals import EndpointUnavailable, ModelServerBroke
from brewslm.serving.admission import Admission
from brewslm.serving.endpoints import Endpoint, failure_of, locate
from brewslm.serving.exchange import Exchange
from brewslm.serving.request_log import RequestLog
from brewslm.serving.slots import SlotNow, slot_now
from brewslm.serving.statistics import Recorder
from brewslm.serving.traffic import using

T = TypeVar("T")
LOOK_SECONDS = 0.05
"""Between two looks for a server that is not there yet."""
RESENDS = 2
"""Once for a connection that was just being closed, once for a server that died: a request that kills servers goes to no more."""
CONNECT_SECONDS = 5.0
THREADS = 128
LOOKS = 8
"""Threads that read the slot at a time: their own, for those of the API may all be at work."""
IDLE_SECONDS = 2.0
"""A connection is given up sooner than llama.cpp's server does it (5 s): it must not close the one on which we are asking."""


class Gone(Exception):
    """The model server is not there any more, and nothing of its answer was passed on.

    Attributes:
        was_asked: Whether it may have read the request.
    """

    def __init__(self, cause: str, was_asked: bool) -> None:
        self.was_asked = was_asked
        super().__init__(cause)


Work = Callable[[SlotNow, Endpoint], Awaitable[T]]


class Gateway:
    """What the requests of one process share.

    Attributes:
        client: Connections to the model servers.
        threads: For work that waits for a model server in a thread.
    """

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self.client = client
        self.threads = anyio.CapacityLimiter(THREADS)
        self._looks = anyio.CapacityLimiter(LOOKS)
        self.recorder, self.log = Recorder(), RequestLog()
        self._admissions: dict[tuple[int, str], Admission] = {}

    async def answered(self, one: Exchange, work: Work[T]) -> T:
        """Have a request's work done by the slot's model server, in its turn.

        Args:
            work: Asks the server; it is called again for another one when it raises `Gone`.

        Raises:
            StageError(UnknownProject): There is no such project.
            StageError(EndpointUnavailable): Nothing is promoted, or its server was not up in time.
            StageError(QueueFull, QueueTooSlow): There was no place for it.
            StageError(ModelServerBroke): Servers ended over it again and again.
        """
        one.now, endpoint = await self._look(one)
        async with self._place(one.now) if one.counted else nullcontext(False) as waited:
            if waited:
                one.now, endpoint = await self._look(one)
            until, asked = anyio.current_time() + one.now.settings.wait_seconds, 0
            cause = "its model server is not up"
            while True:
                if endpoint is not None:
                    try:
                        with using(one.now.version_id):
                            one.sent = time.monotonic()
                            return await work(one.now, endpoint)
                    except Gone as gone:
                        cause, asked = f"its model server did not answer: {gone}", asked + gone.was_asked
                if asked > RESENDS:
                    raise StageError(ModelServerBroke(), "The model server broke off", where=one.now.model, cause=cause)
                if anyio.current_time() >= until:
                    cause = failure_of(one.now.version_id) or cause
                    raise StageError(EndpointUnavailable(), "No model answers here", where=one.now.model, cause=cause)
                await anyio.sleep(LOOK_SECONDS)
                one.now, endpoint = await self._look(one)

    def tell(self, one: Exchange) -> None:
        """A request has ended: count it, and have it written down."""
        self.recorder.count(one)
        self.log.put(one)

    @asynccontextmanager
    async def _place(self, now: SlotNow) -> AsyncIterator[bool]:
        admission = self._admissions.setdefault((now.project, now.name), Admission())
        async with admission.place(now.name, now.settings) as waited:
            yield waited

    async def _look(self, one: Exchange) -> tuple[SlotNow, Endpoint | None]:
        return await anyio.to_thread.run_sync(look, one.project, one.slot, limiter=self._looks)


def look(project: int, slot: str) -> tuple[SlotNow, Endpoint | None]:
    """The slot as it is now, and the live server of its version."""
    now = slot_now(project, slot)
    return now, locate(now.version_id)


@asynccontextmanager
async def running() -> AsyncIterator[Gateway]:
    """A gateway for as long as the block lasts; then what it counted and logged is written."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS)
    headers = {"Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as client, anyio.create_task_group() as logging:
        gateway = Gateway(client)
        logging.start_soon(gateway.log.keep_writing)
        async with anyio.create_task_group() as counting:
            counting.start_soon(gateway.recorder.keep_writing)
            try:
                yield gateway
            finally:
                gateway.log.close()
                counting.cancel_scope.cancel()
