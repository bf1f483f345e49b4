"""Drift checks and schedules over HTTP."""

import pytest

from brewslm.stages import evaluate
from tests.drift import TRUTH, live_at, promoted_version, under_a_grammar, with_reference
from tests.openai_server import service
from tests.pipeline.test_drift import job_of

SCHEDULE = "/api/projects/1/drift/schedules/default"


@pytest.fixture
def version(project, tiny_base, tmp_path):
    made = promoted_version(project, tiny_base, tmp_path)
    with_reference(made, evaluate.live_rows(job_of(made).live).sha256)
    return made


def test_a_check_is_queued_and_its_figures_are_listed(client, perform, version):
    with service(under_a_grammar(TRUTH.get)) as live, live_at(version, live.base_url):
        done = perform(client.post(f"/api/deployments/{version}/drift/check", json={"tolerance": 0.02}))
    assert done["result"]["verdict"] == "steady" and done["result"]["tolerance"] == 0.02
    failed = perform(client.post(f"/api/deployments/{version}/drift/check"))
    assert failed["problem"]["code"] == "endpoint_unavailable"
    listed = client.get("/api/projects/1/drift/checks").json()
    assert [one["verdict"] for one in listed[:2]] == ["failed", "steady"] and listed[1]["run"] == done["task_id"]
    assert client.get("/api/projects/9/drift/checks").json()["code"] == "unknown_project"
    assert client.post(f"/api/deployments/{version}/drift/check", json={"tolerance": 1.5}).json()["code"] == "invalid_request"


def test_a_schedule_is_put_paused_and_deleted(client, version):
    made = client.put(SCHEDULE, json={"cron": "0 3 * * 1-5", "timezone": "America/New_York", "rollback": True})
    assert made.status_code == 200 and (made.json()["rollback"], made.json()["deployment"]) == (True, version)
    assert all("T03:00:00-0" in one for one in made.json()["next_times"])
    assert client.post(SCHEDULE + "/pause").json()["next_times"] == []
    assert not client.post(SCHEDULE + "/pause", json={"paused": False}).json()["is_paused"]
    assert [one["cron"] for one in client.get("/api/projects/1/drift/schedules").json()] == ["0 3 * * 1-5"]
    assert client.delete(SCHEDULE).json() == []
    gone = client.delete(SCHEDULE)
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_schedule")


def test_a_cron_that_is_none_is_a_problem_with_its_cause(client, project):
    refused = client.put(SCHEDULE, json={"cron": "0 25 * * *"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "out of range" in refused.json()["detail"]
