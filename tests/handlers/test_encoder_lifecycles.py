"""Classification by an encoder with a head, through the whole product: one label, and several."""

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.observe.predict import ask_deployment
from brewslm.pipeline.execute import call
from brewslm.stages.deploy.changes import CreateRequest as DeployRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.projects import CreateRequest
from brewslm.store.database import transaction
from brewslm.store.tables import Evaluation
from tests.lifecycle import Journey, live
from tests.stages.train.small import job_for, told, train, train_until
from tests.tiny import make_tiny_encoder

pytestmark = pytest.mark.usefixtures("warm_children")

SLOWER = ("--set", "learning_rate=0.002", "--set", "epochs=6")
WORDS = {"positive": ("lovely", "great", "good"), "negative": ("dull", "awful", "bad")}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return make_tiny_encoder(tmp_path_factory.mktemp("encoder") / "model")


@pytest.fixture
def project(encoder) -> int:
    made = call("test", CreateRequest(name="an encoder", base_model=f"path:{encoder}")).project
    assert made is not None
    return made


def test_one_label(project, tmp_path):
    rows = [
        {"text": f"the movie {n} {n // 7} was {WORDS[label][n % 3]} and {WORDS[label][n // 2 % 3]}", "label": label}
        for n in range(50)
        for label in WORDS
    ]
    journey = Journey(rows, "label_to_classification", ["a lovely film", "a dull film"], {"text": "text", "label": "label"})
    journey.train, journey.export = SLOWER, ()
    lived = live(journey, project, tmp_path)
    systems = lived.evaluated["scorecard"]["systems"]
    assert systems["tuned"]["metrics"]["accuracy"]["value"] > systems["base"]["metrics"]["accuracy"]["high"]
    assert systems["tuned"]["prompt"] is None and set(lived.evaluated["scorecard"]["base_prompts"]) == {"bare"}
    assert lived.trained["method"] == "full"
    assert [one["format"] for one in lived.exported["artifacts"]] == ["hf", "safetensors-merged"]
    assert [answer["output"] for answer in lived.answers] == ["positive", "negative"]
    assert sum(lived.answers[0]["scores"].values()) == pytest.approx(1)
    with transaction() as session:  # as if there had been rows enough for the gates
        session.get_one(Evaluation, "eval-1").promotable = True
    made = call("test", DeployRequest(export="export-1")).result
    promoted = call("test", PromoteRequest(deployment=made["deployment"])).result
    assert (made["variant"], promoted["by"]) == ("hf", "rows") and promoted["same"] == promoted["asked"] > 5
    asked = ask_deployment("default", ["a lovely film", "a dull film"])
    assert [one.output for one in asked] == ["positive", "negative"] and sum(asked[0].scores.values()) == pytest.approx(1)
    refused = CliRunner().invoke(app, ["export", "--experiment", lived.trained["experiment_id"], "--format", "gguf-f16"])
    assert refused.exit_code == 2 and "is of architecture encoder" in refused.stderr and "safetensors-merged" in refused.stderr


def test_several_labels_and_an_adapter(project, tmp_path):
    kinds = ("plot", "acting", "film")
    has = [[kind for place, kind in enumerate(kinds) if n >> place & 1] for n in range(120)]
    rows = [{"text": f"movie {n} {n // 9} {' '.join(tags)}", "tags": tags} for n, tags in enumerate(has)]
    mapped = {"text": "text", "label": "tags"}
    journey = Journey(rows, "label_to_classification", ["movie 500 55 plot film"], mapped)
    journey.train = ("--set", "method=lora", "--set", "learning_rate=0.01", "--set", "epochs=16")
    journey.export = ("--format", "hf", "--format", "safetensors-adapter")
    lived = live(journey, project, tmp_path)
    assert lived.prepared["adapter_preset"] == "classification-labels"
    assert lived.prepared["output_schema"]["labels"] == sorted(kinds)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "majority", "tfidf_logreg"}
    assert systems["tuned"]["metrics"]["f1"]["value"] > systems["majority"]["metrics"]["f1"]["high"]
    assert "film" in lived.answers[0]["output"] and set(lived.answers[0]["output"]) <= set(kinds)


def test_a_run_that_was_cut_off_goes_on_to_the_same_bytes(encoder, tmp_path):
    settings = {"precision": "fp32", "method": "full", "learning_rate": "0.001", "pack_tokens": "24"}
    straight = train(job_for(tmp_path / "straight", encoder, **settings))
    job = job_for(tmp_path / "cut", encoder, **settings)
    train_until(job, 8)
    assert train(job).adapter_sha256 == straight.adapter_sha256 and told(job) == ["training_resumed"]


def test_a_probe_does_two_real_steps_on_the_longest_texts(project):
    from brewslm.stages.preflight import PreflightRequest
    from brewslm.stages.prepare import PrepareRequest
    from tests.synthetic import add_rows, reviews

    add_rows(project, reviews(60))
    call("test", PrepareRequest(project=project, train_rows=30, dev_rows=5, eval_rows=20))
    found = call("test", PreflightRequest(project=project, probe=True, settings={"batch_size": "6"})).result
    assert found["probe"]["rows"] == 6 and found["probe"]["peak_memory_bytes"] > 2**27
