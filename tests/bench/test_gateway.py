"""The gateway's bench counts what it says: a stream that is not whole, or an error, is never a success."""

import asyncio

import aiohttp
import pytest

from bench.gateway import Seen, asked, load, one_request, spread, streamed
from tests.serving.odd import odd, says

WORDS = " ".join(["word"] * 8)


def with_client(work, server):
    async def run():
        async with aiohttp.ClientSession() as client:
            return await work(client, server.base_url)

    return asyncio.run(run())


def cut_off(asked):
    asked.begin()
    for _ in range(8):
        asked.word("word")
    asked.die()


def short(asked):
    asked.begin()
    asked.word("word")
    asked.end()


def test_the_speed_is_that_of_all_streams_together():
    with odd(says(WORDS)) as server:
        assert with_client(lambda client, url: load(client, url, 4, 8), server) > 0
        assert len(server.seen) == 4 and {body["max_tokens"] for _, body in server.seen} == {8}
        assert len({str(body["messages"]) for _, body in server.seen}) == 4


@pytest.mark.parametrize("behave", [short, lambda asked: asked.answer({"error": {}}, 500)], ids=["short", "error"])
def test_a_stream_that_is_not_whole_ends_the_bench(behave):
    with odd(behave) as server:
        assert with_client(lambda client, url: streamed(client, url, asked(1, 8)), server) is False
        with pytest.raises(RuntimeError, match="2 of 2 streams"):
            with_client(lambda client, url: load(client, url, 2, 8), server)


@pytest.mark.parametrize("behave", [cut_off, lambda asked: asked.die(), lambda asked: asked.answer({"error": {}}, 503)])
@pytest.mark.parametrize("number", [1, 2])  # whole, and streamed
def test_what_goes_wrong_under_switches_is_counted(behave, number):
    seen = Seen()
    with odd(behave) as server:
        with_client(lambda client, url: one_request(client, url, number, seen), server)
    assert seen.failures.total() == 1 and not seen.models


def test_a_spread_is_median_least_and_most():
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "least": 1.0, "most": 3.0}
