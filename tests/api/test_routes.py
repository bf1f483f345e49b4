"""The way of a project over HTTP, from a file to a frozen manifest, and every view on the way."""

import orjson
import pytest

from brewslm.pipeline import execute
from brewslm.reasons import REGISTRY
from brewslm.rows import RowReason
from brewslm.store.files import project_folder, read_json, run_folder
from tests.experiments import make_experiment
from tests.readers.made import pdf
from tests.synthetic import reviews

EXAMPLES = reviews(80)


@pytest.fixture
def imported(client, project, uploaded, perform):
    """A project with rows."""
    body = {"locator": uploaded(EXAMPLES), "auto": True}
    done = perform(client.post(f"/api/projects/{project}/dataset-import/run", json=body))
    assert done["state"] == "succeeded"
    return done


def test_a_project_is_there_at_once(client):
    made = client.post("/api/projects", json={"name": "mine"})
    assert (made.status_code, made.headers["Location"]) == (201, "/api/projects/1")
    assert client.get("/api/projects").json() == [made.json()] == [client.get("/api/projects/1").json()]
    assert client.post("/api/projects", json={"name": "mine"}).json()["code"] == "run_conflict"


def test_the_catalogues(client):
    schemes = {one["scheme"] for one in client.get("/api/dataset-import/sources").json()}
    assert {"jsonl", "csv", "sample"} <= schemes
    assert {"label_to_classification", "qa_pair_passthrough", "bio_to_spans"} <= {
        one["id"] for one in client.get("/api/dataset-import/mappers").json()
    }
    reasons = client.get("/api/reasons").json()
    assert {one["code"] for one in reasons if one["kind"] == "run"} == set(REGISTRY)
    assert [one["code"] for one in reasons if one["kind"] == "row"] == list(RowReason)
    assert all(one["meaning"] for one in reasons)
    told = {one["code"]: one["is_event"] for one in reasons if one["kind"] == "run"}
    assert told["training_completed"] and not told["unknown_project"]


def test_eval_packs_are_listed_and_shown(client, tmp_path):
    assert {one["pack_id"] for one in client.get("/api/eval-packs?task_profile=qa").json()} == {"general", "strict", "fast", "qa"}
    shown = client.get("/api/eval-packs/general").json()
    assert shown["contract_version"] == "slm.evaluation-pack/v2" and shown["task_specs"][0]["gates"][0]["gate_id"]
    refused = client.get("/api/eval-packs/generall").json()
    assert refused["code"] == "eval_pack_invalid" and "did you mean general?" in refused["detail"]
    assert client.get("/api/eval-packs/mine.yaml").json()["code"] == "eval_pack_invalid"  # no file is read for a caller
    names = client.get("/api/task-profiles/qa/gate-names").json()
    assert names[0]["metrics"] == ["exact_match", "f1"]
    assert client.get("/api/task-profiles/q/gate-names").json()["code"] == "invalid_request"


def test_a_source_is_looked_at_without_a_project(client, uploaded):
    found = client.post("/api/dataset-import/introspect", json={"locator": uploaded(EXAMPLES)}).json()
    assert found["columns"] == ["text", "label"]


def test_a_dry_run_appends_nothing_and_the_commit_what_it_said(client, project, uploaded, perform):
    body = {"locator": uploaded([*EXAMPLES, {"text": "", "label": "positive"}]), "auto": True}
    preview = client.post(f"/api/projects/{project}/dataset-import/preview", json=body).json()["preview"]
    assert client.get(f"/api/projects/{project}/events").json() == []
    done = perform(client.post(f"/api/projects/{project}/dataset-import/run", json=body))
    kept = ("accepted_count", "rejected_count", "rejection_counts")
    assert [done["result"][name] for name in kept] == [preview[name] for name in kept] == [80, 1, {"empty_text": 1}]


def test_ingest_keeps_the_source(client, project, uploaded, perform):
    done = perform(client.post(f"/api/projects/{project}/ingest", json={"locator": uploaded(EXAMPLES)}))
    assert (done["state"], done["result"]["row_count"]) == ("succeeded", 80)


def test_documents_are_uploaded_and_cleaned(client, project, perform):
    files = [("files", ("a.md", b"# Title\n\nSome words that stand here for a while.\n")), ("files", ("b.txt", b"plain words\n"))]
    files.append(("files", ("c", pdf("Words of a page"))))
    assert perform(client.post(f"/api/projects/{project}/documents", files=files))["state"] == "succeeded"
    assert [one["name"] for one in client.get(f"/api/projects/{project}/documents").json()] == ["a.md", "b.txt", "c"]
    done = perform(client.post(f"/api/projects/{project}/clean", json={"preset": "web", "pii": "pseudonymise"}))
    assert (done["state"], done["result"]["preset"], done["result"]["pii"]) == ("succeeded", "web", "pseudonymise")
    assert client.post(f"/api/projects/{project}/clean", json={"preset": "strict"}).status_code == 422
    health = client.get(f"/api/projects/{project}/data-health").json()
    assert health["severity"] == "block" and {one["group"] for one in health["findings"]} == {"Cleaning"}
    assert all(one["state"] != "added" for one in client.get(f"/api/projects/{project}/documents").json())


def test_an_upload_can_not_leave_its_folder(client, home):
    answer = client.post("/api/uploads", files={"file": ("../../../evil.jsonl", b"{}\n")}).json()
    assert (home / "uploads" / answer["path"]).read_bytes() == b"{}\n"
    assert sorted(path.name for path in home.rglob("*evil*")) == ["evil.jsonl"]
    assert client.post("/api/uploads", files={"file": ("..", b"x")}).json()["code"] == "invalid_request"


def test_prepare_and_the_views_of_it(client, project, imported, perform):
    done = perform(client.post(f"/api/projects/{project}/dataset/prepare", json={"eval_rows": 16}))
    assert done["result"]["rows"]["eval"] == 16
    events = client.get(f"/api/projects/{project}/events").json()
    assert [event["reason_code"] for event in events] == ["dataset_import_run", "dataset_prepared"]
    states = {cell["id"]: cell["state"] for cell in client.get(f"/api/projects/{project}/status").json()["stages"]}
    assert states["prepare"] == "done" and states["train"] == "not_begun"
    verified = client.get("/api/audit/verify").json()
    assert (verified["events"], verified["faults"], verified["gaps"], verified["waiting"]) == (2, [], 0, [])
    head = client.get(f"/api/projects/{project}/head").json()
    assert head["sequence"] == 2 and client.post("/api/audit/verify", json=head).json()["faults"] == []
    other = client.post("/api/audit/verify", json=head | {"database": "x"}).json()["faults"]
    assert [fault["kind"] for fault in other] == ["swapped_database"]
    assert client.get("/api/audit", params={"project": project}).json()[0]["operation"] == "prepare.run"
    listed = client.get("/api/tasks", params={"project": project, "operation": "prepare.run"}).json()
    assert [task["task_id"] for task in listed] == [done["task_id"]]


def test_manifests_are_listed_shown_compared_and_taken_into_use_again(client, project, imported, perform):
    address = f"/api/projects/{project}/manifests"
    for body in ({"eval_rows": 16}, {"eval_share": 0.1, "adapter": "default-canonical"}):
        assert perform(client.post(f"/api/projects/{project}/dataset/prepare", json=body))["state"] == "succeeded"
    assert [(one["version"], one["is_active"]) for one in client.get(address).json()] == [(2, True), (1, False)]
    shown = client.get(f"{address}/1").json()
    assert shown["manifest"]["leakage"]["near_duplicates"] == 0 and shown["statistics"]["splits"]["eval"]["rows"] == 16
    assert client.get(f"{address}/1/diff/2").json()["changed"]["adapter_preset"] == ["classification-label", "default-canonical"]
    assert client.post(f"{address}/1/activate").json()["summary"]["is_active"] is True
    assert client.get(f"/api/projects/{project}").json()["active_manifest"] == 1
    assert (client.get(f"{address}/9").status_code, client.get(f"{address}/9").json()["code"]) == (409, "not_prepared")
    assert "rag-grounded" in {one["name"] for one in client.get("/api/adapters").json()}
    outside = client.post(f"/api/projects/{project}/dataset/prepare", json={"adapter": "/etc/own.yaml"})
    assert outside.status_code == 403
    twice = client.post(f"/api/projects/{project}/dataset/prepare", json={"eval_rows": 5, "eval_share": 0.2})
    assert (twice.status_code, twice.json()["code"]) == (422, "invalid_request")


def test_a_projects_base_model_can_be_changed(client, project, tiny_base, monkeypatch):
    from brewslm.store.database import forget_connections

    assert client.patch(f"/api/projects/{project}", json={"base_model": "pypi:nothing"}).json()["code"] == "base_model_not_found"
    assert client.patch(f"/api/projects/{project}", json={"base_model": f"path:{tiny_base}"}).status_code == 403
    monkeypatch.setenv("BREWSLM_API_FOLDERS", f'["{tiny_base.parent}"]')
    forget_connections()
    changed = client.patch(f"/api/projects/{project}", json={"base_model": f"path:{tiny_base}"})
    assert changed.json()["base_model"] == f"path:{tiny_base}"


def test_events_come_page_by_page(client, project, imported, perform):
    for _ in range(3):
        perform(client.post(f"/api/projects/{project}/dataset/prepare", json={}))
    path = f"/api/projects/{project}/events"
    every = client.get(path).json()
    newest = client.get(path, params={"limit": 2})
    assert newest.json() == every[-2:]
    assert client.get(path + newest.links["prev"]["url"]).json() == every[:2]
    assert client.get(path + newest.links["next"]["url"]).json() == []
    assert client.get(path, params={"after": every[0]["id"], "limit": 2}).json() == every[1:3]
    assert client.get(path, params={"stage": "ingestion"}).json() == every[:1]


def test_a_queued_task_is_cancelled_and_resumed(client, project):
    task = client.post(f"/api/projects/{project}/clean").json()
    assert (task["state"], task["progress"]) == ("queued", None)
    assert client.post(f"/api/tasks/{task['task_id']}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/api/tasks/{task['task_id']}/cancel").json()["code"] == "run_conflict"
    resumed = client.post(f"/api/tasks/{task['task_id']}/resume")
    assert (resumed.status_code, resumed.json()["state"]) == (202, "queued")


def test_an_experiment_and_its_growing_trace(client, project, tiny_model, tiny_adapter):
    trained = make_experiment(project, tiny_model, tiny_adapter)
    [shown] = client.get(f"/api/projects/{project}/experiments").json()
    assert (shown["id"], shown["evaluations"], shown["exports"]) == (trained.id, {"eval-1": True}, [])
    assert client.get(f"/api/experiments/{trained.id}").json()["final_train_loss"] == 0.1
    lines = [
        {"kind": "progress", "done": 1},
        {"kind": "step", "step": 1, "loss": 2.0, "row_ids": ["a"]},
        {"kind": "eval", "step": 1, "dev_loss": 1.5},
    ]
    folder = run_folder(trained.id)
    folder.mkdir(parents=True)
    (folder / "trace.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines) + b'{"kind": "st')
    first = client.get(f"/api/experiments/{trained.id}/trace").json()
    assert first["lines"] == [{"kind": "step", "step": 1, "loss": 2.0}, lines[2]]
    with (folder / "trace.jsonl").open("ab") as file:
        file.write(b'ep", "step": 2, "loss": 1.0}\n')
    second = client.get(f"/api/experiments/{trained.id}/trace", params={"after": first["next"]}).json()
    assert [line["step"] for line in second["lines"]] == [2]


def test_an_experiment_without_its_record_is_not_trained_again(client, project, perform, tiny_model, tiny_adapter):
    trained = make_experiment(project, tiny_model, tiny_adapter)
    done = perform(client.post(f"/api/experiments/{trained.id}/reproduce", json={"timeout_minutes": 5}))
    assert (done["operation"], done["state"], done["problem"]["code"]) == ("train.reproduce", "failed", "not_reproducible")
    assert "job.json" in done["problem"]["detail"]
    assert client.get(f"/api/experiments/{trained.id}").json()["reproductions"] == {}
    assert client.post("/api/experiments/exp-9/reproduce").json()["code"] == "unknown_run"


def test_a_resumed_experiment_may_be_given_more_time(client, project):
    task = client.post(f"/api/projects/{project}/training/run").json()["task_id"]
    client.post(f"/api/tasks/{task}/cancel")
    assert client.post(f"/api/experiments/{task}/resume", json={"timeout_minutes": 0}).json()["code"] == "invalid_request"
    resumed = client.post(f"/api/experiments/{task}/resume", json={"timeout_minutes": 30})
    assert (resumed.status_code, resumed.json()["state"]) == (202, "queued")
    assert read_json(run_folder(task) / "time-limit.json") == 1800


def test_an_experiment_is_asked(client, project, tiny_model, tiny_adapter):
    trained = make_experiment(project, tiny_model, tiny_adapter)
    inputs = ["the movie 1 was lovely and lovely", {"text": "the movie 1 was dull and dull"}]
    answers = client.post("/api/predict", json={"experiment": trained.id, "inputs": inputs}).json()
    assert [answer["output"] for answer in answers] == ["positive", "negative"]


def test_the_page_s_own_request_for_autopilot(client, project):
    answer = client.post(f"/api/projects/{project}/training/run", json={"autopilot": True, "one_click": True})
    assert (answer.status_code, answer.headers["Location"]) == (202, "/api/tasks/autopilot-1")
    assert execute.look("autopilot-1").operation == "autopilot.run"
    plain = client.post(f"/api/projects/{project}/training/run", json={})
    assert plain.json()["operation"] == "train.run"


def test_an_import_is_listed_mended_and_undone(client, project, uploaded, perform):
    body = {"locator": uploaded([*EXAMPLES, {"text": "", "label": "positive"}]), "auto": True}
    perform(client.post(f"/api/projects/{project}/dataset-import/run", json=body))
    (listed,) = client.get(f"/api/projects/{project}/imports").json()
    assert (listed["import_run"], listed["rejection_counts"]) == ("import-1", {"empty_text": 1})
    assert client.get(f"/api/projects/{project}/import-configs").json()[0]["config_id"] == listed["config_id"] == 1
    answer = client.get("/api/imports/import-1/rejected", params={"reason": "empty_text"})
    rejected = orjson.loads(answer.content)
    assert answer.headers["content-type"] == "application/jsonl" and rejected["raw"]["text"] == ""
    assert client.get("/api/imports/import-9/rejected").json()["code"] == "unknown_run"
    mended = uploaded([rejected | {"raw": {"text": "filled in", "label": "positive"}}]).replace("jsonl:", "mended:")
    done = perform(client.post("/api/imports/import-1/reimport", json={"locator": mended}))
    assert (done["result"]["accepted_count"], done["result"]["parent_import"]) == (1, "import-1")
    done = perform(client.post("/api/imports/import-2/undo"))
    assert done["result"] == {"import_run": "import-2", "rows": 1}
    assert [one["undone_by"] for one in client.get(f"/api/projects/{project}/imports").json()] == [None, "undo-1"]
    again = client.post(f"/api/projects/{project}/dataset-import/preview", json={"locator": body["locator"], "config": 1})
    assert again.json()["preview"]["rejection_counts"] == {"duplicate_row": 80, "empty_text": 1}


def test_a_row_is_forgotten_over_http_when_its_id_is_said_once_more(client, project, imported, perform):
    rows = orjson.loads(next((project_folder(project) / "synthetic").glob("*.jsonl")).read_bytes().splitlines()[0])
    where = f"/api/rows/{rows['row_id']}"
    planned = client.get(f"{where}/forgetting").json()
    assert planned["row_ids"] == [rows["row_id"]] and planned["files"]
    assert client.post(f"{where}/forgetting", json={"confirm": "yes"}).json()["code"] == "invalid_request"
    done = perform(client.post(f"{where}/forgetting", json={"confirm": rows["row_id"]}))
    assert done["state"] == "succeeded" and client.get(where).json()["forgotten"]["run_id"] == done["task_id"]
