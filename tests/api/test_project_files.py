"""brewslm.yaml over HTTP: its text comes and goes, and its paths lead to uploads alone."""

from tests.synthetic import reviews

HEAD = "contract_version: slm.project/v1\nproject: {name: mine}\n"


def text(locator: str, more: str = "") -> str:
    mapping = "mapper: label_to_classification, field_map: {text: text, label: label}"
    return f"{HEAD}sources:\n- {{locator: '{locator}', {mapping}}}\n{more}"


def test_a_text_is_checked_line_by_line(client, uploaded):
    good = client.post("/api/project-files/validate", json={"text": text(uploaded(reviews(20)))})
    assert (good.status_code, good.json()) == (200, {"valid": True, "problems": []})
    told = client.post("/api/project-files/validate", json={"text": text("jsonl:/etc/passwd", "trian: {}\n")}).json()
    assert not told["valid"] and [(one["line"], one["where"]) for one in told["problems"]] == [
        (4, "sources.0.locator"),
        (5, "trian"),
    ]
    assert "the API reads uploaded files" in told["problems"][0]["cause"]
    refused = client.post("/api/project-files/apply", json={"text": HEAD + "trian: {}"})
    assert refused.status_code == 422 and refused.json()["code"] == "project_file_invalid"
    assert refused.json()["payload"]["problems"][0]["line"] == 3
    assert client.get("/api/projects").json() == []


def test_a_file_is_applied_compared_run_and_read_back(client, uploaded, perform):
    locator = uploaded(reviews(60))
    given = text(locator, "prepare: {eval_rows: 12}\n")
    done = perform(client.post("/api/project-files/apply", json={"text": given}))
    assert done["state"] == "succeeded" and [step["action"] for step in done["result"]["steps"]] == ["run", "run"]
    view = client.get("/api/projects/1/file").json()
    assert view["file"]["sources"][0]["locator"] == locator and view["file"]["prepare"]["eval_rows"] == 12
    assert "contract_version: slm.project/v1" in view["text"]
    assert client.post("/api/projects/1/file/diff", json={"text": view["text"]}).json()["same"]
    other = client.post("/api/projects/1/file/diff", json={"text": given.replace("12", "15")}).json()
    assert other["differences"] == [{"where": "prepare.eval_rows", "file": 15, "project": 12}]
    planned = client.post("/api/projects/1/pipeline/plan", json={"text": given.replace("12", "15")}).json()
    assert [(step["operation"], step["action"]) for step in planned] == [("map.commit", "up_to_date"), ("prepare.run", "run")]
    again = perform(client.post("/api/projects/1/pipeline/run"))
    assert again["state"] == "succeeded" and {step["action"] for step in again["result"]["steps"]} == {"up_to_date"}
    assert client.post("/api/projects/1/pipeline/run", json={"from_stage": "train", "to_stage": "prepare"}).status_code == 422
    assert client.post("/api/projects/7/pipeline/plan").json()["code"] == "unknown_project"


def test_the_same_is_not_queued_twice(client, uploaded):
    given = {"text": text(uploaded(reviews(20)))}
    first = client.post("/api/project-files/apply", json=given)
    assert first.status_code == 202
    second = client.post("/api/project-files/apply", json=given)
    assert (second.status_code, second.json()["code"]) == (409, "run_conflict") and "apply-1" in second.json()["detail"]
