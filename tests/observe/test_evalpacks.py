"""Eval packs as they are listed, shown and checked."""

import json

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.handlers import HANDLERS
from brewslm.observe.evalpacks import eval_packs, gate_names
from tests.packs import gate, write_pack


def test_packs_can_be_listed_for_a_task():
    assert {one.pack_id for one in eval_packs()} == {"general", "strict", "fast", *HANDLERS}
    assert {one.pack_id for one in eval_packs("qa")} == {"general", "strict", "fast", "qa"}


def test_what_gates_may_name_is_told_for_each_scoring_mode():
    one, several = gate_names("classification")
    assert one.scoring_mode == "label" and {"accuracy", "macro_f1"} <= set(one.metrics)
    assert one.systems == ["base", "few_shot_base", "baseline", "majority", "tfidf_logreg"]
    assert several.primary_metric == "f1" and "json_validity_rate" in several.metrics
    with pytest.raises(StageError) as refused:
        gate_names("clasification")
    assert "did you mean classification?" in refused.value.cause


def said(*words, code=0):
    done = CliRunner().invoke(app, ["eval-packs", *words])
    assert done.exit_code == code, done.output
    return done.output


def test_the_commands_speak_and_give_json(tmp_path):
    assert "strict" in said("list") and "97.5 % sure" in said("list")
    assert {one["pack_id"] for one in json.loads(said("list", "--task-profile", "qa", "--json"))} == {
        "general", "strict", "fast", "qa",
    }  # fmt: skip
    shown = said("show", "classification")
    assert "at most 5.0 points behind tfidf_logreg" in shown and "≥ 80.0 %" in shown and "optional" in shown
    own = write_pack(tmp_path, gate(slice_id="s"), spec={"slices": [{"slice_id": "s", "field": "text", "max_words": 5}]})
    assert "accuracy on s" in said("show", own) and "slice s: text max_words 5" in said("show", own)
    assert json.loads(said("show", own, "--json"))["pack_id"] == "mine"
    assert "did you mean accuracy?" in said("show", write_pack(tmp_path, gate(metric_id="acuracy")), code=2)
    assert "no gates for qa" in said("show", "classification", "--task-profile", "qa", code=2)
    assert "better_than, no_worse_than" in said("names", "qa")
    assert json.loads(said("names", "qa", "--json"))[0]["systems"][-1] == "nearest_question"
    said("names", "nothing", code=2)
