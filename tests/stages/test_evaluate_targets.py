"""The same evaluation of whatever was made of an experiment, by its own runtime; and like is compared with like alone."""

import json
import shutil

import pytest

from brewslm.errors import StageError
from brewslm.pipeline.execute import RunFailed, call
from brewslm.processes.context import DirectContext
from brewslm.rows import RowFile
from brewslm.serving import serve_model
from brewslm.stages import evaluate
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder, sha256, write_json
from brewslm.store.records import Records
from tests.experiments import LABELS, WORDS, adopt_bundle, make_experiment
from tests.openai_server import service

pytestmark = pytest.mark.usefixtures("warm_children")


@pytest.fixture
def trained(project, tiny_model, tiny_adapter):
    return make_experiment(project, tiny_model, tiny_adapter, promotable=None)


@pytest.fixture
def export(trained, tiny_bundle):
    return adopt_bundle(trained, tiny_bundle)


def job_of(trained, target):
    with reading() as session:
        request = EvaluateRequest(experiment=trained.id, target=target)
        return evaluate.resolve(request, Records(session, "eval-9", trained.project, "test"))


def measured(trained, tmp_path, target=None):
    return evaluate.run(job_of(trained, target), DirectContext(tmp_path)).scorecard


def lines(trained, system="tuned"):
    path = project_folder(trained.project) / "evaluations" / "eval-9" / f"predictions-{system}.jsonl"
    return list(RowFile(path).rows())


def refused(trained, target):
    with pytest.raises(StageError) as error:
        job_of(trained, target)
    return error.value


def truth(body):
    """The label of the telling word in the last message."""
    said = body["messages"][-1]["content"].split()
    return next((label for label in LABELS if set(WORDS[label][:3]) & set(said)), "positive" if "film" in said else "negative")


def test_a_merged_folder_says_what_the_experiment_says(trained, export, tmp_path):
    whole = measured(trained, tmp_path / "a")
    shutil.rmtree(project_folder(trained.project) / "evaluations")
    found = measured(trained, tmp_path / "b", f"{export}:hf")
    assert (found.measured.kind, found.measured.export, found.measured.variant) == ("merged", export, "hf")
    assert found.systems["tuned"].correct == whole.systems["tuned"].correct
    assert found.systems["tuned"].scoring == "label_log_probability" and "base" in found.paired
    bundle = project_folder(trained.project) / "exports" / export / "hf"
    shutil.rmtree(project_folder(trained.project) / "evaluations")
    by_path = measured(trained, tmp_path / "c", f"path:{bundle}")
    assert by_path.systems["tuned"].metrics == found.systems["tuned"].metrics and by_path.measured.name == "hf"
    assert str(tmp_path) not in by_path.model_dump_json()


def test_an_exported_file_is_measured_by_its_own_runtime_and_the_base_in_the_same_way(trained, export):
    view = call("test", EvaluateRequest(experiment=trained.id, target=f"{export}:gguf-f16"))
    card = view.result["scorecard"]
    assert card["measured"] | {"sha256": ""} == {
        "kind": "gguf", "name": f"{export}:gguf-f16", "sha256": "", "export": export, "variant": "gguf-f16", "deployment": None,
    }  # fmt: skip
    assert card["systems"]["tuned"]["correct"] >= 22
    assert {card["systems"][name]["scoring"] for name in ("tuned", "base")} == {"constrained"} and "base" in card["paired"]
    assert len(card["systems"]["tuned"]["template_sha256"]) == 64, "llama.cpp's server tells its template"
    assert card["systems"]["tuned"]["speed"]["tokens_per_second"] > 0
    path = project_folder(trained.project) / view.result["path"] / "predictions-tuned.jsonl"
    for line in RowFile(path).rows():
        assert json.loads(line["prompt"])[0]["role"] == "system" and line["prompt_tokens"] > 9 and line["stop"] == "schema"


def test_an_endpoint_and_a_deployment_of_the_same_file_say_the_same(trained, export, tmp_path):
    bundle = project_folder(trained.project) / "exports" / export
    version = call("test", CreateRequest(export=export, variant="gguf-f16")).result["deployment"]
    deployed = measured(trained, tmp_path / "a", f"deployment-{version}")
    assert (deployed.measured.kind, deployed.measured.deployment) == ("deployment", version)
    shutil.rmtree(project_folder(trained.project) / "evaluations")
    with serve_model(bundle / "gguf-f16" / "model-f16.gguf", "tiny") as endpoint:
        found = measured(trained, tmp_path / "b", f"{endpoint.base_url}#tiny")
    assert found.measured.kind == "endpoint" and found.measured.sha256 == ""
    one, other = (card.systems["tuned"].metrics for card in (found, deployed))
    assert one.keys() == other.keys() and one["accuracy"] == other["accuracy"]
    for name, metric in one.items():  # probabilities go by what else the server computes at the time
        assert metric.value == pytest.approx(other[name].value, abs=1e-4)


def test_where_a_service_knows_no_grammar_only_a_label_by_itself_counts(trained, tmp_path):
    with service(
        lambda body: f" {truth(body)}\n" if "3 was" not in body["messages"][-1]["content"] else "It is good."
    ) as running:
        card = measured(trained, tmp_path, f"{running.base_url}#any")
    tuned = card.systems["tuned"]
    assert tuned.scoring == card.systems["base"].scoring == "strict_parsing" and "base" in card.paired
    assert tuned.correct == 22
    unusable = [line for line in lines(trained) if line["verdict"] == "unusable"]
    assert len(unusable) == 2 and all(line["output"] == "" and line["problems"] == {"unknown_label": 1} for line in unusable)
    assert {line["stop"] for line in lines(trained)} == {"end"}
    assert not any("grammar" in body or "response_format" in body for body in running.asked[3:]), "it was asked once what it can"


def test_json_of_a_schema_is_another_way_and_its_figures_are_not_compared(trained, tmp_path):
    def answer(body):
        if "grammar" in body or "structured_outputs" in body:
            return 400
        labels = body["response_format"]["json_schema"]["schema"]["properties"]["label"]["enum"]
        return json.dumps({"label": truth(body) if labels == LABELS else labels[0]})

    with service(answer) as running:
        card = measured(trained, tmp_path, f"{running.base_url}#any")
    assert card.systems["tuned"].scoring == "constrained_json" and card.systems["tuned"].correct == 24
    assert card.systems["base"].scoring == "label_log_probability"
    assert "base" not in card.paired and "majority" in card.paired
    over_base = [gate for gate in card.gates if "base" in (gate.better_than, gate.no_worse_than)]
    assert over_base and {(gate.met, gate.cause) for gate in over_base} == {(False, "system_missing")}
    assert not card.promotable


@pytest.mark.parametrize("answer", [500, 401], ids=["it breaks", "it refuses"])
def test_a_service_that_does_not_answer_is_named_and_the_run_can_go_on(trained, tmp_path, answer):
    with service(lambda _: answer) as running, pytest.raises(StageError) as failed:
        measured(trained, tmp_path, f"{running.base_url}#any")
    assert failed.value.reason.code == "eval_runtime_error"
    assert "resume" in failed.value.next_step and "Error" in failed.value.cause


def test_nobody_at_an_address_is_an_eval_runtime_error(trained):
    with pytest.raises(RunFailed) as failed:
        call("test", EvaluateRequest(experiment=trained.id, target="http://127.0.0.1:1/v1#any"))
    assert failed.value.error.reason.code == "eval_runtime_error" and "APIConnectionError" in failed.value.error.cause


def test_a_checkpoint_is_known_by_its_hash(trained, tmp_path):
    folder = trained.adapter.parent / "checkpoints" / "checkpoint-7"
    shutil.copytree(trained.adapter, folder)
    assert "step" in refused(trained, "checkpoint-8").cause or "none" in refused(trained, "checkpoint-8").cause
    weights = folder / "adapter_model.safetensors"
    write_json(folder / "COMPLETE.json", {"files": {weights.name: sha256(weights)}})
    card = measured(trained, tmp_path, "checkpoint-7")
    assert (card.measured.kind, card.measured.sha256) == ("checkpoint", sha256(weights))
    job = job_of(trained, "checkpoint-7")
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(StageError) as error:
        evaluate.run(job, DirectContext(tmp_path / "b"))
    assert error.value.reason.error == "the adapter's hash differs"


def test_what_can_not_be_measured_is_refused_by_name(trained, export):
    assert refused(trained, "tuesday").reason.code == "invalid_request"
    assert refused(trained, "export-77:hf").reason.code == "unknown_run"
    assert refused(trained, f"{export}:safetensors-adapter").reason.code == "not_exported"
    assert refused(trained, "deployment-5").reason.code == "unknown_deployment"
    assert refused(trained, "path:/nowhere/model.gguf").reason.code == "invalid_request"
    assert "secret" not in str(refused(trained, "http://user:secret@host/v1#m")), "no password goes into a job"


def test_an_evaluation_of_something_else_promotes_nothing(trained, export, tmp_path):
    version = call("test", CreateRequest(export=export, variant="gguf-f16")).result["deployment"]
    with service(truth) as running:
        shown = call("test", EvaluateRequest(experiment=trained.id, target=f"{running.base_url}#any"))
    assert shown.result["promotable"]
    with pytest.raises(RunFailed) as failed:
        call("test", PromoteRequest(deployment=version))
    assert failed.value.error.reason.code == "deployment_promote_blocked" and "was not evaluated" in failed.value.error.cause
    call("test", EvaluateRequest(experiment=trained.id, target=f"deployment-{version}"))
    assert call("test", PromoteRequest(deployment=version)).result["state"] == "promoted"


def test_command_line_and_api_name_a_target_in_the_same_way(trained, tmp_path):
    from fastapi.testclient import TestClient
    from typer.testing import CliRunner

    from brewslm.api.app import create_app
    from brewslm.cli.main import app
    from brewslm.pipeline.execute import look

    done = CliRunner().invoke(app, ["evaluate", "--experiment", trained.id, "--target", "tuesday"])
    assert done.exit_code == 2 and "tuesday can't be measured" in done.output
    with TestClient(create_app(with_worker=False), base_url="http://localhost", raise_server_exceptions=False) as client:
        address = f"/api/experiments/{trained.id}/evaluate"
        outside = client.post(address, json={"target": "path:/etc/hosts"})
        assert (outside.status_code, outside.json()["code"]) == (403, "path_outside_project")
        queued = client.post(address, json={"target": "checkpoint-7"})
        assert queued.status_code == 202
        assert look(queued.json()["task_id"]).request["target"] == "checkpoint-7"
