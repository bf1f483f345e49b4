"""Gold sets over HTTP."""

from brewslm.pipeline.execute import call
from brewslm.stages.prepare import PrepareRequest
from tests.synthetic import add_rows, reviews


def test_a_gold_set_is_drawn_reviewed_and_locked_over_http(client, project, perform):
    add_rows(project, reviews(50))
    call("test", PrepareRequest(project=project))
    sets = f"/api/projects/{project}/gold-sets"
    assert client.get(sets).json() == []
    made = client.post(sets, json={"name": "films"})
    assert (made.status_code, made.json()["gold_set"], made.json()["state"]) == (201, "films@1", "draft")
    assert client.post(sets, json={"name": "films"}).json()["code"] == "gold_draft_open"
    assert client.post(sets, json={"name": "no spaces"}).status_code == 422
    done = perform(client.post(f"{sets}/films/import", json={"rows": 4, "sample": "stratified"}))
    assert (done["state"], done["result"]["rows"]) == ("succeeded", 4)
    assert perform(client.post(f"{sets}/films/import", json={"rows": 400}))["problem"]["code"] == "gold_sample_too_large"
    waiting = client.get(f"{sets}/films/rows", params={"reviewer": "ana", "limit": 3}).json()
    assert len(waiting) == 3 and waiting[0]["reviews"] == []
    rows = [row["row_id"] for row in client.get(f"{sets}/films/rows").json()]
    for reviewer in ("ana", "ben"):
        body = {"reviewer": reviewer, "reviews": [{"row_id": row, "verdict": "accepted"} for row in rows]}
        assert client.post(f"{sets}/films/review", json=body).json()["reviewers"][reviewer] == 4
    assert client.post(f"{sets}/films/review", json=body).json()["code"] == "gold_row_reviewed"
    locked = client.post(f"{sets}/films/lock").json()
    assert (locked["state"], len(locked["sha256"]), locked["rows"]) == ("locked", 64, {"accepted": 4})
    assert client.post(f"{sets}/films/lock").json()["code"] == "gold_set_is_locked"
    assert [one["gold_set"] for one in client.get(sets).json()] == ["films@1"]
    assert client.get(f"{sets}/none").status_code == 404


def test_a_judges_labels_are_read_from_where_the_api_may_read(client, project):
    judge = {"url": "http://127.0.0.1:9/v1", "model": "m", "labels": "/etc/passwd"}
    refused = client.post("/api/experiments/exp-1/evaluate", json={"judge": judge})
    assert refused.json()["code"] == "path_outside_project"
    assert client.post("/api/experiments/exp-1/evaluate", json={"judge": judge | {"url": "x"}}).status_code == 422
    asked = client.post("/api/experiments/exp-1/evaluate", json={"judge": judge | {"labels": None}, "gold_set": "films"})
    assert asked.json()["code"] == "unknown_run"
