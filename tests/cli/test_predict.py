"""brewslm predict and evaluate, as a person types them, on a really tuned tiny model."""

import json

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.cli.predict import shown
from brewslm.observe.predict import Answer, ask_deployment, ask_experiment
from brewslm.pipeline.execute import call
from brewslm.rows.ledger import Ledger
from brewslm.stages.projects import CreateRequest
from brewslm.store.database import transaction
from brewslm.store.tables import DeploymentVersion, Export, Slot
from tests.experiments import make_experiment, rows
from tests.packs import gate, write_pack

pytestmark = pytest.mark.usefixtures("warm_children")

runner = CliRunner()


@pytest.fixture
def trained(project, tiny_model, tiny_adapter):
    return make_experiment(project, tiny_model, tiny_adapter)


def predict(*arguments, stdin=None):
    return runner.invoke(app, ["predict", *arguments], input=stdin)


def test_a_text_gets_its_label_with_a_probability(trained):
    done = predict("--experiment", trained.id, "the movie 0 was lovely and lovely", "the movie 1 was dull and dull")
    assert done.exit_code == 0
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == ["positive", "negative"]
    assert "%  the movie 0 was lovely and lovely" in done.stdout


def test_json_lines_on_stdin_or_in_a_file_come_back_in_order(trained, tmp_path):
    lines = "".join(json.dumps({"row_id": row["row_id"], **row["payload"]}) + "\n" for row in rows()) + '\n"the movie"\n'
    by_stdin = predict("--experiment", trained.id, "--json", stdin=lines)
    (tmp_path / "rows.jsonl").write_text(lines)
    by_file = predict("--experiment", trained.id, "--json", "--file", str(tmp_path / "rows.jsonl"))
    assert by_stdin.stdout == by_file.stdout
    answers = json.loads(by_stdin.stdout)
    assert [answer["row_id"] for answer in answers] == [*(row["row_id"] for row in rows()), "input-25"]
    right = sum(answer["output"] == row["payload"]["label"] for answer, row in zip(answers, rows(), strict=False))
    assert right >= 22
    assert all(sum(answer["scores"].values()) == pytest.approx(1, abs=1e-3) for answer in answers)


def test_what_can_not_be_asked_is_told_with_its_line(trained, tmp_path):
    asked = ("--experiment", trained.id)
    assert "line 2" in predict(*asked, stdin='"good"\n{broken\n').stderr
    assert "neither a text nor an object" in predict(*asked, stdin="3\n").stderr
    assert "input 1 has no text" in predict(*asked, stdin='{"question": "x"}\n').stderr
    assert "There is nothing to ask" in predict(*asked, stdin="").stderr
    assert "FileNotFoundError" in predict(*asked, "--file", str(tmp_path / "none.jsonl")).stderr
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    done = predict(*asked, "--json", "--file", str(tmp_path / "binary"))
    assert (done.exit_code, json.loads(done.stdout)["code"]) == (2, "invalid_request")


def test_one_model_must_be_named(trained):
    assert predict("a text").exit_code == 2
    assert predict("--experiment", trained.id, "--deployment", "default", "a text").exit_code == 2
    assert predict("--experiment", trained.id, "--file", "x", "a text").exit_code == 2
    assert predict("--experiment", "exp-9", "a text").exit_code == 1
    (trained.adapter / "adapter_model.safetensors").unlink()
    assert "not_trained" in predict("--experiment", trained.id, "a text").stderr


def promoted(trained, project):
    """A promoted version whose exported file is gone."""
    with transaction() as session:
        if session.get(Export, "eval-1") is None:
            artifacts = {"gguf-f16": {"path": "gguf-f16/model.gguf", "sha256": ""}}
            session.add(
                Export(
                    run_id="eval-1", project_id=trained.project, experiment_id=trained.id, path="exports/eval-1",
                    manifest_sha256="", artifacts=artifacts,
                )
            )  # fmt: skip
            session.flush()
        version = DeploymentVersion(
            project_id=project, slot="default", version=1, export_id="eval-1", variant="gguf-f16", target="local",
            state="promoted", actor="test",
        )  # fmt: skip
        session.add(version)
        session.flush()
        session.add(Slot(project_id=project, name="default", version_id=version.id))
        return version.id


def test_a_deployment_that_is_not_there_is_told(trained):
    done = predict("--deployment", "default", "a text", "--json")
    assert json.loads(done.stdout)["code"] == "endpoint_unavailable"
    assert "unknown_deployment" in predict("--deployment", "7", "a text").stderr
    assert "unknown_project" in predict("--deployment", "default", "--project", "9", "a text").stderr


def test_a_slot_name_of_several_projects_needs_its_project(trained):
    number = promoted(trained, trained.project)
    other = call("test", CreateRequest(name="another")).project
    promoted(trained, other)
    assert "Name --project" in predict("--deployment", "default", "a text").stderr
    done = predict("--deployment", str(number), "a text")  # its file is gone, so no server can be started
    assert (done.exit_code, "endpoint_unavailable" in done.stderr) == (1, True)


@pytest.mark.slow
def test_a_deployment_gives_the_labels_that_the_experiment_gives(trained):
    from brewslm.stages.deploy.changes import CreateRequest as Deploy
    from brewslm.stages.export import ExportRequest

    export = call("test", ExportRequest(experiment=trained.id, formats=("gguf-f16",)))
    call("test", Deploy(export=export.task_id, variant="gguf-f16"))
    texts = [row["payload"]["text"] for row in rows()]
    here = [answer.output for answer in ask_experiment(trained.id, texts)]
    assert [answer.output for answer in ask_deployment("1", texts)] == here


def test_spans_and_answers_are_shown_in_their_own_way():
    span = {"type": "Number", "start": 0, "end": 2, "text": "12"}
    spans = Answer(row_id="a", input="12 elm", output=[span], scores={}, problems={"unaligned": 1})
    assert shown(spans) == ["12 elm", "  Number  12  (0 to 2)", "  could not be used: unaligned 1"]
    assert shown(spans.model_copy(update={"output": [], "problems": {}})) == ["12 elm", "  nothing found"]
    assert shown(Answer(row_id="a", input="who", output="a model", scores={}, problems={})) == ["a model"]


def test_evaluate_prints_the_scorecard_and_tells_the_verdict_by_its_exit_code(trained, tmp_path):
    done = runner.invoke(app, ["evaluate", "--experiment", trained.id])
    assert done.exit_code == 0
    assert done.stdout.startswith("accuracy of exp-1 on 24 held-out rows, with 95 % intervals\n")
    assert "24 rows can tell" in done.stdout and "few_shot_base" in done.stdout
    assert "better than base" in done.stdout and "(97.5 %)" in done.stdout
    assert done.stdout.splitlines()[-1] == "promotable"
    pack = write_pack(tmp_path, gate(threshold=0.99))
    done = runner.invoke(app, ["evaluate", "--experiment", trained.id, "--eval-pack", pack])
    assert done.exit_code == 3 and done.stdout.splitlines()[-1] == "not promotable: g"
    done = runner.invoke(app, ["evaluate", "--experiment", trained.id, "--eval-pack", pack, "--json"])
    assert done.exit_code == 3
    shown_json = json.loads(done.stdout)["result"]
    assert (shown_json["promotable"], shown_json["scorecard"]["gates"][0]["undecidable"]) == (False, True)
    assert shown_json["ledger"] == Ledger(rows_in=24, rows_out=24).model_dump()


def test_evaluating_what_is_not_there_fails(project):
    done = runner.invoke(app, ["evaluate", "--experiment", "exp-4"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "unknown_run" in done.stderr
