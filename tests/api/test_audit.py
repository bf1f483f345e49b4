"""The routes of timeline and explorer."""

import csv
import io

import orjson
import pyarrow.parquet as pq
import pytest

from brewslm.observe.audit_export import MEDIA_TYPES
from brewslm.store.files import run_folder
from tests.observe.stream import write


@pytest.fixture
def stream(client, project) -> int:
    write(
        project,
        [
            {
                "run": "exp-1",
                "parent": "autopilot-1",
                "payload": {"error": "CUDA out of memory"},
                "severity": "error",
                "code": "training_oom",
            },
            {"run": "exp-2"},
            {"run": "autopilot-1", "actor": "api"},
        ],
    )
    return project


def test_every_filter_can_be_asked_for_and_pages_keep_it(client, stream):
    path = f"/api/projects/{stream}/events"

    def ids(**query) -> list[int]:
        answer = client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return [event["id"] for event in answer.json()]

    assert ids(text="memory") == ids(code="training_oom") == ids(severity="error") == [1]
    assert ids(actor="api") == [3] and ids(run="autopilot-1") == [1, 3]
    assert ids(since="2026-01-31T22:02:00Z") == [2, 3] and ids(until="2026-01-31T22:02:00Z") == [1]
    first = client.get(path, params={"actor": "cli:ana", "limit": 1})
    older = client.get(path + first.links["prev"]["url"])
    assert [event["id"] for event in older.json()] == [1]
    assert client.get(path + older.links["next"]["url"]).json() == first.json()
    for wrong in ({"text": "--"}, {"severity": "dreadful"}, {"since": "yesterday"}):
        assert client.get(path, params=wrong).json()["code"] == "invalid_request"


def test_the_tree_and_an_event_are_told(client, stream):
    found = client.get(f"/api/projects/{stream}/timeline").json()
    assert [tree["run"] for tree in found["trees"]] == ["autopilot-1", "exp-2"]
    assert [part["run"] for part in found["trees"][0]["parts"]] == ["exp-1"]
    assert client.get("/api/projects/9/timeline").json()["code"] == "unknown_project"
    shown = client.get("/api/events/1").json()
    assert shown["payload"] == {"error": "CUDA out of memory"} and shown["remedy"] and "causes" in shown
    assert client.get("/api/events/99").json()["code"] == "unknown_event"


def test_a_tasks_log_is_told(client, project):
    task = client.post(f"/api/projects/{project}/clean").json()["task_id"]
    assert client.get(f"/api/tasks/{task}/log").text == ""
    run_folder(task).mkdir(parents=True)
    (run_folder(task) / "log.txt").write_text("what it said\n")
    assert client.get(f"/api/tasks/{task}/log").text == "what it said\n"
    assert client.get("/api/tasks/clean-9/log").json()["code"] == "unknown_run"


def test_a_request_id_is_answered_and_kept(client, project):
    path = f"/api/projects/{project}/clean"
    given = client.post(path, headers={"X-Request-ID": "trace-42"})
    made = client.post(path, headers={"X-Request-ID": "not one"})
    assert given.headers["X-Request-ID"] == "trace-42" and len(made.headers["X-Request-ID"]) == 32
    newer, older = client.get("/api/audit", params={"operation": "clean.run"}).json()
    assert (older["request_id"], older["face"]) == ("trace-42", "api")
    assert newer["request_id"] == made.headers["X-Request-ID"]
    assert [call["id"] for call in client.get("/api/audit", params={"request_id": "trace-42"}).json()] == [older["id"]]
    refused = client.post("/api/projects/9/clean", headers={"X-Request-ID": "trace-43"})
    assert refused.headers["X-Request-ID"] == "trace-43" and refused.status_code == 404
    assert client.get("/api/audit", params={"request_id": "trace-43"}).json()[0]["outcome"] == "unknown_project"
    assert client.get("/api/audit/facets").json()["face"]["api"] == 3


def test_filters_are_kept_used_and_forgotten(client, stream):
    kept = client.put("/api/audit/filters/failures", json={"of": "events", "filter": {"severity": "error"}})
    assert kept.status_code == 200 and kept.json()["filter"] == {"severity": "error"}
    assert [event["id"] for event in client.get(f"/api/projects/{stream}/events?filter=failures").json()] == [1]
    assert client.get("/api/audit?filter=failures").json()["code"] == "unknown_filter"
    wrong = client.put("/api/audit/filters/other", json={"of": "events", "filter": {"severity": "red"}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_request")
    assert client.delete("/api/audit/filters/other").json()["code"] == "unknown_filter"
    assert client.delete("/api/audit/filters/failures").json() == []


@pytest.mark.parametrize("format", MEDIA_TYPES)
def test_events_and_calls_are_exported(client, stream, format):
    answer = client.get("/api/audit/export/events", params={"format": format, "project": stream, "severity": "error"})
    assert answer.headers["content-type"] == MEDIA_TYPES[format] and "attachment" in answer.headers["content-disposition"]
    read = {
        "jsonl": lambda data: [orjson.loads(line) for line in data.splitlines()],
        "csv": lambda data: list(csv.DictReader(io.StringIO(data.decode()))),
        "parquet": lambda data: pq.read_table(io.BytesIO(data)).to_pylist(),
        "cloudevents": orjson.loads,
    }[format]
    assert len(read(answer.content)) == 1
    assert len(read(client.get("/api/audit/export/calls", params={"format": format}).content)) == 1
    assert client.get("/api/audit/export/events", params={"format": format, "project": 9}).json()["code"] == "unknown_project"
