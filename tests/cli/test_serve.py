"""brewslm serve, worker and autopilot, as real commands."""

import socket
import subprocess
import sys

import httpx2
import orjson
import pytest

from brewslm.pipeline.execute import call
from brewslm.stages.prepare import PrepareRequest
from tests.running import PATIENCE_SECONDS, server


def brewslm(*arguments):
    command = [sys.executable, "-m", "brewslm.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)


@pytest.mark.parametrize("command", ["serve", "gateway"])
@pytest.mark.parametrize("host", ["0.0.0.0", "example.org"])
def test_an_address_that_others_can_reach_is_refused(host, command):
    done = brewslm(command, "--host", host)
    assert (done.returncode, done.stdout) == (2, "") and "host_not_loopback" in done.stderr


@pytest.mark.parametrize("command", ["serve", "gateway"])
def test_a_port_that_is_taken_or_is_none_is_told_before_anything_starts(command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = brewslm(command, "--port", str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (2, "") and "port_taken" in done.stderr
    assert "invalid_request" in brewslm(command, "--port", "70000").stderr


def test_autopilot_can_be_queued(project):
    given = ("--train-rows", "50", "--base-model", "path:/m", "--set", "epochs=2")
    done = brewslm("autopilot", "--project", str(project), *given, "--detach", "--json")
    task = orjson.loads(done.stdout)
    assert (done.returncode, task["state"]) == (0, "queued")
    asked = [task["request"][name] for name in ("one_click", "train_rows", "base_model", "settings")]
    assert asked == [True, 50, "path:/m", {"epochs": "2"}]


def test_autopilot_says_where_it_stopped(project):
    done = brewslm("autopilot", "--project", str(project))
    assert done.returncode == 1 and "Autopilot stopped at prepare.run" in done.stderr and "Commit rows first" in done.stderr


def test_a_server_and_its_event_stream(home, project):
    """One server for several promises: to start one takes seconds."""
    with pytest.raises(Exception, match="no rows"):
        call("ana", PrepareRequest(project=project))
    with server(home) as serving:
        assert httpx2.get(serving.url + "/", timeout=PATIENCE_SECONDS).headers["location"] == "/ui"
        for taken in (("serve", "--port", "0"), ("worker", "--name", "main")):
            done = brewslm(*taken)
            assert done.returncode == 2 and "worker_name_taken" in done.stderr
        with httpx2.stream("GET", f"{serving.url}/api/projects/{project}/events/stream", timeout=PATIENCE_SECONDS) as stream:
            lines = stream.iter_lines()
            first = event_in(lines)
            with pytest.raises(Exception, match="no rows"):
                call("ana", PrepareRequest(project=project))  # another process writes, and the stream tells
            second = event_in(lines)
        assert first["event"] == second["event"] == "dataset_prep_failed" and int(second["id"]) > int(first["id"])
        assert orjson.loads(second["data"])["run_id"] == "prepare-2"
        again = {"headers": {"Last-Event-ID": first["id"]}, "timeout": PATIENCE_SECONDS}
        with httpx2.stream("GET", f"{serving.url}/api/projects/{project}/events/stream", **again) as stream:
            assert event_in(stream.iter_lines()) == second
        serving.process.terminate()
        serving.process.wait(PATIENCE_SECONDS)


def event_in(lines):
    """The next whole event of a stream."""
    found = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and name:
            found[name] = value.strip()
        elif not line and found:
            return found
    raise AssertionError("the stream ended")
