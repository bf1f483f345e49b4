"""A model server answers, says why it could not, and never outlives whoever started it."""

import os
import subprocess
import sys

import httpx2
import psutil
import pytest

from brewslm.serving import ModelServerFailed, serve_model
from brewslm.serving.model_server import busy_slots, healthy
from tests.running import PATIENCE_SECONDS, gone


@pytest.fixture
def gguf(tiny_bundle):
    return tiny_bundle / "gguf-f16" / "model-f16.gguf"


def test_a_served_model_answers_under_its_name_and_ends_with_the_block(gguf):
    with serve_model(gguf, "tiny-v1") as endpoint:
        process = psutil.Process(endpoint.pid)
        address = endpoint.base_url.removesuffix("/v1")
        assert address.startswith("http://127.0.0.1:") and healthy(address) and busy_slots(address) == 0
        assert [model["id"] for model in httpx2.get(f"{endpoint.base_url}/models", timeout=PATIENCE_SECONDS).json()["data"]] == [
            "tiny-v1"
        ]
    gone([process])
    assert not healthy(address) and busy_slots(address) is None


def test_two_models_can_be_served_at_once(gguf):
    with serve_model(gguf, "one") as one, serve_model(gguf, "two") as two:
        assert one.base_url != two.base_url and one.pid != two.pid


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux gives a thread its core")
def test_computing_threads_that_are_as_many_as_cores_have_one_each(gguf, monkeypatch):
    """And where they are not as many, each goes where there is room."""
    cores = os.sched_getaffinity(0)

    def bound():
        with serve_model(gguf, "tiny") as endpoint:
            asked = {"model": "tiny", "messages": [{"role": "user", "content": "a film"}], "max_tokens": 8}
            httpx2.post(f"{endpoint.base_url}/chat/completions", json=asked, timeout=PATIENCE_SECONDS).raise_for_status()
            affinities = [os.sched_getaffinity(thread.id) for thread in psutil.Process(endpoint.pid).threads()]
        return [only for only in affinities if only != cores]

    monkeypatch.setenv("BREWSLM_THREADS", str(len(cores)))
    assert {core for only in bound() for core in only} == (cores if len(cores) > 1 else set())
    monkeypatch.setenv("BREWSLM_THREADS", str(len(cores) + 1))
    assert bound() == []


def test_a_file_that_is_no_model_is_told_with_the_servers_last_words(tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF, but not really")
    with pytest.raises(ModelServerFailed, match=r"status 1; last it said: .+"), serve_model(tmp_path / "broken.gguf"):
        pass


def test_it_dies_with_a_parent_that_is_killed(gguf):
    """kill -9 leaves the parent no time for anything: the lifeline pipe ends the server."""
    code = f"""
from pathlib import Path
from brewslm.serving import serve_model
with serve_model(Path({str(gguf)!r})) as endpoint:
    print(endpoint.pid, flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    gone([server])
