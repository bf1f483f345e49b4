"""kill -9 of a real server in the middle of real work: after a restart the work reaches its end, once."""

from collections import Counter

import orjson
import pytest

from tests.experiments import rows
from tests.running import environment_allows, gone, hold, server

PAYLOADS = [row["payload"] for row in rows(160)]


@pytest.fixture
def opened(monkeypatch, tiny_model):
    """The server's API may read the tiny model's folder."""
    environment_allows(monkeypatch, tiny_model)
    return tiny_model


def upload(serving, name, payloads):
    data = b"".join(orjson.dumps(row) + b"\n" for row in payloads)
    return f"jsonl:{serving.post('/api/uploads', files={'file': (name, data)})['path']}"


def queued(serving, path, **body):
    return serving.post(path, json=body)["task_id"]


def prepared(serving):
    """Project 1 with a manifest."""
    serving.post("/api/projects", json={"name": "p"})
    body = {"locator": upload(serving, "rows.jsonl", PAYLOADS), "auto": True}
    assert serving.ended(queued(serving, "/api/projects/1/dataset-import/run", **body))["state"] == "succeeded"
    assert serving.ended(queued(serving, "/api/projects/1/dataset/prepare"))["state"] == "succeeded"


def complete_checkpoints(home):
    return list(home.glob("projects/1/experiments/exp-1/checkpoints/checkpoint-*/COMPLETE.json"))


def codes(serving):
    return Counter(event["reason_code"] for event in serving.get("/api/projects/1/events?limit=500"))


def test_training_goes_on_after_a_kill_of_the_server(home, opened, monkeypatch, tmp_path):
    killing = hold(monkeypatch, tmp_path, "step", 20)
    with server(home) as first:
        prepared(first)
        settings = {"epochs": "3", "checkpoints": "6", "batch_size": "8"}
        task = queued(first, "/api/projects/1/training/run", base_model=f"path:{opened}", settings=settings)
        assert task == "exp-1"
        killing.reached()
        assert complete_checkpoints(home)
        children = first.kill()
    assert children
    gone(children)
    with server(home) as second:
        view = second.ended(task)
        assert (view["state"], view["attempt"]) == ("succeeded", 2), view["problem"]
        told = codes(second)
        assert told["training_completed"] == 1 and told["training_resumed"] == 1
        assert told["dataset_import_run"] == told["dataset_prepared"] == 1
        verified = second.get("/api/audit/verify")
        assert (verified["faults"], verified["gaps"]) == ([], 0)
        trace = second.get("/api/experiments/exp-1/trace")
        steps = [line["step"] for line in trace["lines"] if line["kind"] == "step"]
        assert trace["state"] == "succeeded" and steps == list(range(1, view["result"]["steps"] + 1))  # none lost, none doubled
        started = second.kill()
    gone(started)


def test_an_import_that_was_cut_off_appends_its_rows_once(home, monkeypatch, tmp_path):
    killing = hold(monkeypatch, tmp_path, "rows", 1)
    many = [{"text": f"the movie {n} was lovely", "label": "ab"[n % 2]} for n in range(60_000)]
    with server(home) as first:
        first.post("/api/projects", json={"name": "p"})
        task = queued(first, "/api/projects/1/dataset-import/run", locator=upload(first, "many.jsonl", many), auto=True)
        killing.reached()
        assert first.get(f"/api/tasks/{task}")["state"] == "running"
        first.kill()
    with server(home) as second:
        view = second.ended(task)
        assert (view["state"], view["attempt"], view["result"]["accepted_count"]) == ("succeeded", 2, 60_000)
        assert codes(second) == {"dataset_import_run": 1}
        assert second.get("/api/audit/verify")["faults"] == []
    lines = (home / "projects" / "1" / "synthetic" / "synthetic.jsonl").read_bytes().splitlines()
    assert len(lines) == len({orjson.loads(line)["row_id"] for line in lines}) == 60_000


@pytest.mark.slow
def test_autopilot_goes_on_where_it_was_killed_and_its_model_answers(home, opened, monkeypatch, tmp_path):
    killing = hold(monkeypatch, tmp_path, "step", 20)
    with server(home) as first:
        prepared(first)
        settings = {"epochs": "20", "checkpoints": "20", "batch_size": "8", "learning_rate": "5e-3", "lora_alpha": "64"}
        body = {"autopilot": True, "one_click": True, "base_model": f"path:{opened}", "settings": settings}
        task = queued(first, "/api/projects/1/training/run", **body)
        killing.reached()
        assert complete_checkpoints(home)
        gone(first.kill())
    with server(home) as second:
        view = second.ended(task, 600)
        parts = second.get(f"/api/tasks?parent={task}")
        attempts = {part["operation"]: part["attempt"] for part in parts}
        assert attempts["prepare.run"] == attempts["preflight.run"] == 1 and attempts["train.run"] == 2
        assert len(parts) == len(attempts)
        assert view["state"] == "succeeded", view["problem"]
        told = codes(second)
        assert told["training_completed"] == told["evaluation_completed"] == 1
        assert not second.descendants()
        deployed = second.ended(queued(second, "/api/deployments", export=view["result"]["export"]))["result"]["deployment"]
        assert second.ended(queued(second, f"/api/deployments/{deployed}/promote"))["state"] == "succeeded"
        asked = {"deployment": "default", "project": 1, "inputs": ["the movie 1 was lovely and lovely"]}
        assert [answer["output"] for answer in second.post("/api/predict", json=asked)] == ["positive"]
        assert codes(second)["deployment_changed"] == 2
        assert second.get("/api/audit/verify")["faults"] == []
        servers = second.kill()
    assert servers  # the model server
    gone(servers)
