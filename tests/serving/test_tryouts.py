"""Servers that somebody tries: those that live elsewhere need no process, and are kept and ended like any other."""

import socket

import pytest

from brewslm.serving.model_server import ModelServerFailed
from brewslm.serving.targets import Servable
from brewslm.serving.tryouts import IDLE_SECONDS, Tryouts
from tests.running import until
from tests.serving.odd import odd, says


@pytest.fixture
def elsewhere(home, tmp_path):
    with odd(says("hello")) as server:

        def servable(**settings) -> Servable:
            return Servable(
                version_id=0, project_id=1, target="endpoint", model="m", variant="hf", bundle=tmp_path, artifact={"path": "hf"},
                settings={"url": server.base_url, "model": "m"} | settings,
            )  # fmt: skip

        yield servable


def test_the_one_that_was_asked_least_lately_gives_way(elsewhere):
    now = [0.0]
    tried = Tryouts(clock=lambda: now[0])
    for name in ("one", "two"):
        now[0] += 1
        tried.start(name, elsewhere())
    now[0] += 1
    tried.used("one")
    tried.start("three", elsewhere())
    assert tried.endpoint("two") is None
    assert until(lambda: tried.endpoint("one"), "one answers").model == "m" and until(lambda: tried.endpoint("three"), "three")
    tried.start("one", elsewhere())  # it is there already
    assert tried.endpoint("three") is not None
    tried.stop()
    assert tried.endpoint("one") is None and not tried.is_starting("one")


def test_one_that_nobody_asks_is_ended(elsewhere):
    now = [0.0]
    tried = Tryouts(clock=lambda: now[0])
    tried.start("one", elsewhere())
    until(lambda: tried.endpoint("one"), "one answers")
    now[0] = IDLE_SECONDS - 1
    tried.sweep()
    assert tried.endpoint("one") is not None
    now[0] = IDLE_SECONDS
    tried.sweep()
    assert tried.endpoint("one") is None


def test_one_that_can_not_be_started_is_not_kept(elsewhere):
    tried = Tryouts()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        here = {"target": "local", "settings": {"port": taken.getsockname()[1]}}
        with pytest.raises(ModelServerFailed, match="can't be had"):
            tried.start("one", elsewhere().model_copy(update=here))
    assert tried.endpoint("one") is None and not tried.is_starting("one")
