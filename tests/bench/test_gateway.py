"""The gateway's bench counts what it says: a stream that is not whole, or an error, is never a success."""

import asyncio
import threading

import aiohttp
import pytest

from bench.gateway import Seen, asked, load, measure, one_request, serving, spread, streamed, under_switches
from brewslm.pipeline.execute import call
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from tests.experiments import adopt_bundle, make_experiment
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


def test_a_promote_that_fails_ends_the_switching_and_what_was_counted_is_kept(home):
    slot = {"export": "export-9", "variant": "gguf-f16"}

    def slow(asked):
        threading.Event().wait(0.2)
        asked.die()

    with odd(slow) as server:
        found = with_client(lambda client, url: under_switches(client, home, url, slot, 10**6, 2), server)
    assert "deploy create" in found["problem"] and "unknown_run" in found["problem"]
    assert found["switches"] == 0 < found["failed"] == found["requests"]


def test_a_spread_is_median_least_and_most():
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "least": 1.0, "most": 3.0}


@pytest.mark.slow
def test_the_whole_of_it_on_the_tiny_model(home, project, tiny_model, tiny_adapter, tiny_bundle):
    """Its figures mean nothing here; that none of its requests fails does."""
    export = adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)
    version = call("test", CreateRequest(export=export, variant="gguf-f16")).result["deployment"]
    call("test", PromoteRequest(deployment=version))
    with serving(home) as url:
        measured, peers = asyncio.run(measure(home, url, {4: 16}, rounds=2, requests=30, switches=2))
    assert measured["switching"]["failed"] == 0 and measured["switching"]["failures"] == {}
    assert measured["switching"]["requests"] >= 30 and measured["switching"]["switches"] >= 2
    assert (
        measured["streams-4"]["share_of_raw"]["least"] > 0 and peers["streams-4"]["model_server_tokens_per_second"]["least"] > 0
    )
    assert measured["cpu_microseconds_per_token"] > 0 and measured["switching"]["problem"] == ""
    assert measured["slot_read_microseconds"]["median"] > 0
    print(measured, peers)
