"""Who may be answered now, who waits, and who is told to come again."""

import anyio
import pytest

from brewslm.errors import StageError
from brewslm.serving.admission import Admission
from brewslm.serving.slots import SlotSettings
from tests.running import PATIENCE_SECONDS


def test_so_many_at_a_time_so_many_wait_and_one_more_is_refused():
    settings, most, seen = SlotSettings(in_flight=2, waiting=3), [0, 0], []

    async def ask(admission, go_on):
        async with admission.place("default", settings) as waited:
            seen.append(waited)
            most[0] += 1
            most[1] = max(most)
            await go_on.wait()
            most[0] -= 1

    async def run():
        admission, go_on = Admission(), anyio.Event()
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask, admission, go_on)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(StageError) as refused:
                async with admission.place("default", settings):
                    pass
            go_on.set()
        async with admission.place("default", settings) as waited:
            assert not waited
        return refused.value

    refused = anyio.run(run)
    assert (refused.reason.code, refused.reason.status, refused.reason.retry_after_seconds) == ("queue_full", 429, 3)
    assert "2 are being answered, 3 wait" in str(refused)
    assert seen == [False, False, True, True, True] and most[1] == 2


def test_who_waits_too_long_is_told_so_and_who_goes_away_leaves_no_trace():
    settings = SlotSettings(in_flight=1, waiting=1, wait_seconds=0.05)

    async def run():
        admission = Admission()
        async with admission.place("default", settings):
            with anyio.move_on_after(0.01):  # goes away
                async with admission.place("default", settings):
                    raise AssertionError
            with pytest.raises(StageError) as refused:
                async with admission.place("default", settings):
                    raise AssertionError
        async with admission.place("default", settings) as waited:
            assert not waited
        return refused.value

    refused = anyio.run(run)
    assert (refused.reason.code, refused.reason.status) == ("queue_too_slow", 503) and refused.reason.retry_after_seconds >= 1


def test_more_room_helps_those_that_wait_already():
    async def run():
        admission = Admission()
        async with admission.place("default", SlotSettings(in_flight=1)), anyio.create_task_group() as tasks:
            got_in = anyio.Event()

            async def wait():
                async with admission.place("default", SlotSettings(in_flight=1)):
                    got_in.set()

            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            async with admission.place("default", SlotSettings(in_flight=3)):
                with anyio.fail_after(PATIENCE_SECONDS):
                    await got_in.wait()

    anyio.run(run)
