"""Pairs of answers through the whole lifecycle: imported, prepared, checked, trained, judged, exported and asked."""

import orjson
import pytest

from brewslm.handlers.gates import promotable
from brewslm.observe.predict import ask_experiment
from brewslm.pipeline.execute import call
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.export import ExportRequest
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.train import ReproduceRequest, TrainRequest
from tests.lifecycle import gates_of_the_base, missed
from tests.stages.train.pairs import pairs
from tests.synthetic import own_words

pytestmark = pytest.mark.usefixtures("warm_children")

SETTINGS = {"epochs": "6", "batch_size": "8", "learning_rate": "0.005", "precision": "fp32"}


@pytest.fixture
def prepared(project, tmp_path):
    """A project with 60 pairs to learn from and 40 held out."""
    path = tmp_path / "pairs.jsonl"
    rows = [row["payload"] | {"prompt": f"{row['payload']['prompt']} {own_words(n)}"} for n, row in enumerate(pairs(110))]
    lines = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    path.write_bytes(lines.replace(b" and not very slow", b""))  # answers of like length: the tiny model is soon sure of them
    import_rows("test", ImportRequest(project=project, locator=f"jsonl:{path}", auto=True, commit=True))
    made = call("test", PrepareRequest(project=project, train_rows=60, dev_rows=8, eval_rows=40)).result
    assert made["rows"] == {"train": 60, "dev": 8, "eval": 40}
    return project


def test_dpo_from_rows_to_answers(prepared, tiny_model):
    shared = {"project": prepared, "base_model": f"path:{tiny_model}", "settings": SETTINGS}
    checked = call("test", PreflightRequest(**shared, probe=True)).result
    assert checked["passed"] and checked["probe"]["rows"] == 8 and checked["probe"]["peak_memory_bytes"] > 2**27
    trained = call("test", TrainRequest(**shared))
    again = call("test", ReproduceRequest(experiment=trained.task_id)).result
    assert again["reproduced"] and again["adapter_sha256"] == trained.result["adapter_sha256"]
    evaluated = call("test", EvaluateRequest(experiment=trained.task_id, eval_pack="preference")).result
    card = evaluated["scorecard"]
    accuracy = {name: system["metrics"]["preference_accuracy"]["value"] for name, system in card["systems"].items()}
    assert accuracy["tuned"] > 0.95 > 0.7 > max(accuracy["base"], accuracy["longer"], accuracy["shorter"])
    assert card["systems"]["tuned"]["metrics"]["reward_margin"]["low"] > 0
    assert missed(card["gates"]) == [] and not promotable(gates_of_the_base(prepared, evaluated))
    exported = call("test", ExportRequest(experiment=trained.task_id, formats=("hf", "gguf-f16"))).result
    assert {one["agreement"] for one in exported["artifacts"]} == {1.0}
    (answer,) = ask_experiment(trained.task_id, ["how was the movie 3"])
    assert isinstance(answer.output, str) and answer.scores == {}


def test_orpo_is_trained_and_judged_likewise(prepared, tiny_model):
    settings = SETTINGS | {"objective": "orpo"}
    trained = call("test", TrainRequest(project=prepared, base_model=f"path:{tiny_model}", settings=settings))
    card = call("test", EvaluateRequest(experiment=trained.task_id, eval_pack="preference")).result["scorecard"]
    tuned, base = (card["systems"][name]["metrics"] for name in ("tuned", "base"))
    assert tuned["preference_accuracy"]["value"] > 0.95 > base["preference_accuracy"]["value"]
    assert tuned["chosen_log_prob"]["value"] > base["chosen_log_prob"]["high"], "the better answers are learned too"
    assert card["promotable"]
