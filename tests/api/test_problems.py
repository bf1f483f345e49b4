"""Each wrong request is answered by a problem document with its reason code, and nothing of our inside."""

import pytest
from sqlalchemy import func, select

from brewslm.store.database import reading
from brewslm.store.tables import Run, RunEvent

MEDIA = "application/problem+json"
ROWS = [{"text": f"a text of some length, number {n}", "label": "ab"[n % 2]} for n in range(30)]


def problem(answer, status, code):
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA), answer.text
    found = answer.json()
    assert (found["code"], found["type"], found["status"]) == (code, f"urn:brewslm:reason:{code}", status)
    assert found["title"] and found["detail"]
    return found


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/nothing", None, 404, "route_not_found"),
        ("DELETE", "/api/projects", None, 405, "method_not_allowed"),
        ("GET", "/api/projects/9", None, 404, "unknown_project"),
        ("GET", "/api/projects/9/status", None, 404, "unknown_project"),
        ("GET", "/api/projects/9/events", None, 404, "unknown_project"),
        ("GET", "/api/projects/9/events/stream", None, 404, "unknown_project"),
        ("GET", "/api/projects/9/experiments", None, 404, "unknown_project"),
        ("GET", "/api/projects/nine", None, 422, "invalid_request"),
        ("GET", "/api/tasks/exp-9", None, 404, "unknown_run"),
        ("GET", "/api/experiments/exp-9", None, 404, "unknown_run"),
        ("GET", "/api/experiments/exp-9/trace", None, 404, "unknown_run"),
        ("GET", "/api/rows/0123456789abcdef", None, 404, "unknown_row"),
        ("GET", "/api/tasks?limit=0", None, 422, "invalid_request"),
        ("POST", "/api/tasks/exp-9/cancel", None, 404, "unknown_run"),
        ("POST", "/api/projects/9/dataset/prepare", None, 404, "unknown_project"),
        ("POST", "/api/projects/9/training/run", {"autopilot": True, "one_click": True}, 404, "unknown_project"),
        ("POST", "/api/experiments/exp-9/evaluate", {}, 404, "unknown_run"),
        ("POST", "/api/experiments/exp-9/export", {}, 404, "unknown_run"),
        ("POST", "/api/deployments/9/promote", None, 404, "unknown_deployment"),
        ("POST", "/api/predict", {"inputs": ["x"]}, 422, "invalid_request"),
        ("POST", "/api/predict", {"inputs": [], "deployment": "default"}, 422, "invalid_request"),
        ("POST", "/api/dataset-import/introspect", {"locator": "ftp:x"}, 422, "unknown_scheme"),
        ("POST", "/api/dataset-import/introspect", {"locator": "jsonl:gone.jsonl"}, 422, "source_not_found"),
        ("POST", "/api/dataset-import/introspect", {"locator": "jsonl:/etc/passwd"}, 403, "path_outside_project"),
        ("POST", "/api/dataset-import/introspect", {"locator": "csv:../brewslm.sqlite"}, 403, "path_outside_project"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(client, method, path, body, status, code):
    problem(client.request(method, path, json=body), status, code)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/projects", {"nam": "x"}, "nam"),
        ("/api/projects", [], "body"),
        ("/api/projects/1/dataset/prepare", {"eval_rows": 0}, "eval_rows"),
        ("/api/projects/1/training/run", {"autopilot": True, "manifest_version": 1}, "manifest_version"),
        ("/api/projects/1/training/run", {"autopilot": True, "one_click": False}, "one_click"),
        ("/api/projects/1/training/run", {"train_rows": 3}, "train_rows"),
        ("/api/projects/1/training/run", {"timeout_minutes": -1}, "timeout_minutes"),
        ("/api/projects/1/clean", {"pii": "ignore"}, "pii"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not_repeated(client, project, path, body, field):
    found = problem(client.post(path, json=body), 422, "invalid_request")
    assert field in [error["field"] for error in found["errors"] if error["message"]]
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 1  # the project's own


def test_a_body_that_is_no_json_is_refused(client):
    problem(client.post("/api/projects", content=b"{", headers={"content-type": "application/json"}), 422, "invalid_request")
    problem(client.post("/api/projects", content=b'{"name":"x"}', headers={"content-type": "text/plain"}), 422, "invalid_request")


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost.evil.example:8000"},
        {"host": ""},
        {"origin": "http://evil.example"},
        {"origin": "null"},
    ],
)
def test_another_host_or_another_site_is_turned_away(client, headers):
    problem(client.get("/api/projects", headers=headers), 421, "host_not_allowed")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000"])
def test_this_machine_is_let_in(client, host):
    assert client.get("/api/health", headers={"host": host, "origin": f"http://{host}"}).json()["status"] == "ok"


@pytest.mark.parametrize("field", ["base_model", "eval_pack"])
@pytest.mark.parametrize("path", ["/etc/x.yaml", "../x.yaml", "path:/etc"])
def test_no_path_of_this_machine_gets_in_by_another_field(client, project, field, path):
    problem(client.post(f"/api/projects/{project}/training/run", json={field: path}), 403, "path_outside_project")


def test_a_folder_that_the_owner_opened_may_be_read(client, tmp_path, monkeypatch):
    from brewslm.settings import settings

    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "rows.csv").write_text("text,label\ngood,a\nbad,b\n")
    (tmp_path / "open" / "link.csv").symlink_to("/etc/passwd")
    monkeypatch.setenv("BREWSLM_API_FOLDERS", f'["{tmp_path / "open"}"]')
    settings.cache_clear()
    found = client.post("/api/dataset-import/introspect", json={"locator": f"csv:{tmp_path / 'open' / 'rows.csv'}"})
    assert found.status_code == 200 and found.json()["columns"] == ["text", "label"]
    for outside in (tmp_path / "open" / "link.csv", tmp_path / "closed.csv"):
        problem(client.post("/api/dataset-import/introspect", json={"locator": f"csv:{outside}"}), 403, "path_outside_project")


def test_low_confidence_is_refused_before_anything_is_queued(client, project, uploaded):
    locator = uploaded([{"x": n, "y": n * 2} for n in range(30)])
    problem(
        client.post(f"/api/projects/{project}/dataset-import/run", json={"locator": locator, "auto": True}), 409, "low_confidence"
    )
    with reading() as session:
        assert session.scalars(select(Run).where(Run.operation == "map.commit")).all() == []
        assert session.scalars(select(RunEvent)).all() == []


def test_a_key_used_for_another_request_is_a_conflict(client, project):
    headers = {"Idempotency-Key": "k"}
    first = client.post(f"/api/projects/{project}/clean", json={}, headers=headers)
    again = client.post(f"/api/projects/{project}/clean", json={}, headers=headers)
    assert first.json()["task_id"] == again.json()["task_id"]
    problem(client.post(f"/api/projects/{project}/clean", json={"pii": "block"}, headers=headers), 409, "idempotency_conflict")


def test_a_fault_of_ours_shows_none_of_our_inside(client, home, project):
    (home / "runs" / "clean-1").mkdir(parents=True)
    task = client.post(f"/api/projects/{project}/clean", json={}).json()["task_id"]
    from brewslm.store.database import transaction

    with transaction() as session:
        session.get_one(Run, task).state = "running"
    from brewslm.pipeline import runs
    from brewslm.store.locks import lock

    (home / "runs" / task / "progress.json").write_text("{broken: someone's words")
    with lock(runs.run_lock_path(task)):
        found = problem(client.get(f"/api/tasks/{task}"), 500, "request_failed")
    assert found["payload"] == {"error": "JSONDecodeError"} and "words" not in str(found) and "Traceback" not in str(found)
