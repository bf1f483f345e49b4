"""Who may be answered now: so many requests of a slot at a time, so many that wait, and no longer than its owner allows."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from brewslm.errors import StageError
from brewslm.reasons.refusals import QueueFull, QueueTooSlow
from brewslm.serving.slots import SlotSettings

LONGEST_RETRY_SECONDS = 60


class Admission:
    """The places of one slot in this process, given in the order of asking."""

    def __init__(self) -> None:
        self._places = anyio.CapacityLimiter(1)
        self._usual_seconds = 1.0

    @asynccontextmanager
    async def place(self, slot: str, settings: SlotSettings) -> AsyncIterator[bool]:
        """Have a place for the block; gives whether it had to be waited for.

        Raises:
            StageError(QueueFull): As many wait as may.
            StageError(QueueTooSlow): None was free in time.
        """
        self._places.total_tokens = settings.in_flight
        must_wait = self._places.available_tokens <= 0
        if must_wait and self._waiting() >= settings.waiting:
            cause = f"{settings.in_flight} are being answered, {self._waiting()} wait"
            raise StageError(
                QueueFull(retry_after_seconds=self._retry_after()), "Too many requests", where=f"slot {slot}", cause=cause
            )
        me, began = object(), anyio.current_time()
        with anyio.move_on_after(settings.wait_seconds) as waited:
            await self._places.acquire_on_behalf_of(me)
        if waited.cancelled_caught:
            cause = f"no place was free in {settings.wait_seconds:g} s, {self._waiting()} others wait"
            reason = QueueTooSlow(retry_after_seconds=self._retry_after())
            raise StageError(reason, "The model is too busy", where=f"slot {slot}", cause=cause)
        try:
            began = anyio.current_time()
            yield must_wait
        finally:
            self._usual_seconds += 0.1 * (anyio.current_time() - began - self._usual_seconds)
            self._places.release_on_behalf_of(me)

    def _waiting(self) -> int:
        return self._places.statistics().tasks_waiting

    def _retry_after(self) -> int:
        """Whole seconds in which those that wait now should have had their turn."""
        rounds = 1 + self._waiting() / self._places.total_tokens
        return min(LONGEST_RETRY_SECONDS, max(1, math.ceil(rounds * self._usual_seconds)))
