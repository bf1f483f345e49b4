"""What the gateway counts is written every other second, adds up over gateways and days, and is not lost when a write fails."""

import subprocess
import sys

import anyio
import pytest

from brewslm.serving import statistics
from brewslm.serving.exchange import Exchange
from brewslm.serving.slots import SlotNow, SlotSettings
from brewslm.serving.statistics import Recorder, summaries
from brewslm.store.database import transaction
from brewslm.store.tables import GatewayStatistic
from tests.serving.odd import bare_export, version


@pytest.fixture
def export(project, tiny_base, tmp_path):
    return bare_export(project, tiny_base, tmp_path / "made")


def exchange(version_id, outcome="ok", seconds=1.0, first=None, tokens=0):
    one = Exchange(1, "default", "/chat/completions", now=SlotNow(1, "default", version_id, 1, SlotSettings()), outcome=outcome)
    one.began = one.sent = 100.0
    if tokens:
        one.took_whole(b'{"usage": {"completion_tokens": %d, "prompt_tokens": 7}}' % tokens)
    one.first = None if first is None else 100.0 + first
    one.last = 100.0 + seconds
    return one


def counted(recorder, *exchanges):
    for one in exchanges:
        recorder.count(one)
    anyio.run(recorder.flush)


def test_outcomes_latency_first_token_and_speed_of_a_version(export):
    number = version(export, 1)
    whole = exchange(number, seconds=2, tokens=10)
    streamed = exchange(number, seconds=3, first=1, tokens=21)
    bad = [exchange(number, outcome) for outcome in ("model_server_broke", "queue_full", "http_500", "failed")]
    blameless = [exchange(number, outcome) for outcome in ("http_400", "client_gone", "invalid_request")]
    counted(Recorder(), whole, streamed, *bad, *blameless, Exchange(1, "none", "/x"), Exchange(1, "x", "/models", counted=False))
    found = summaries([number])[number]
    assert (found.requests, found.errors, found.outcomes["ok"]) == (9, 4, 2)
    assert (found.prompt_tokens, found.tokens) == (14, 31)
    assert found.latency_seconds.p99 == pytest.approx(2, rel=0.01) and found.latency_seconds.n == 2
    assert found.first_token_seconds.p50 == pytest.approx(1, rel=0.01)
    assert found.tokens_per_second.p50 == pytest.approx(5, rel=0.01)  # 10 in 2 s, and 20 after the first in 2 s
    assert found.tokens_per_second.p99 == pytest.approx(5, rel=0.01) and found.tokens_per_second.n == 2


def test_gateways_and_days_add_up(export, monkeypatch):
    one, two = version(export, 1), version(export, 2)
    first, second = Recorder(), Recorder()
    counted(first, exchange(one), exchange(two))
    counted(second, exchange(one, seconds=4))
    monkeypatch.setattr(statistics, "today", lambda: "2020-01-01")
    counted(first, *(exchange(one) for _ in range(5)))
    assert {number: found.requests for number, found in summaries([one, two]).items()} == {one: 7, two: 1}
    assert summaries([one], days=1)[one].requests == 2
    assert summaries([two + 1]) == {}


def test_what_could_not_be_written_is_written_later(export):
    known = version(export, 1)
    recorder = Recorder()
    counted(recorder, exchange(known), exchange(known + 1))  # of a version that is not there: the whole write fails
    recorder.count(exchange(known))
    assert summaries([known]) == {}
    assert version(export, 2) == known + 1
    anyio.run(recorder.flush)
    assert {number: found.requests for number, found in summaries([known, known + 1]).items()} == {known: 2, known + 1: 1}


def test_writers_in_two_processes_lose_nothing(export):
    number = version(export, 1)
    code = f"""
import anyio
from brewslm.serving.statistics import Recorder
from tests.serving.test_statistics import exchange
recorder = Recorder()
async def run():
    for _ in range(50):
        recorder.count(exchange({number}))
        await recorder.flush()
anyio.run(run)
"""
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert summaries([number])[number].requests == 100


def test_a_row_stays_small_whatever_it_counts(export):
    import random

    number, recorder = version(export, 1), Recorder()
    numbers = random.Random(3)
    counted(recorder, *(exchange(number, seconds=numbers.lognormvariate(0, 3), first=0.1, tokens=9) for _ in range(20_000)))
    with transaction() as session:
        assert len(str(session.query(GatewayStatistic).one().tally)) < 30_000
