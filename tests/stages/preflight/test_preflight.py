"""Preflight says before training what would stop it, with the measured value, the limit and a next step."""

import shutil

import pytest

from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.store.database import reading
from brewslm.store.files import read_json, write_json
from brewslm.store.tables import RunEvent
from tests.packs import gate, write_pack
from tests.synthetic import add_rows, reviews


@pytest.fixture
def prepared(project):
    add_rows(project, reviews(90))
    call("test", PrepareRequest(project=project, train_rows=40, dev_rows=8, eval_rows=40))
    return project


def check(project: int, base, **changes) -> dict:
    settings = {"batch_size": "8"} | changes.pop("settings", {})
    view = call("test", PreflightRequest(project=project, base_model=f"path:{base}", settings=settings, **changes))
    assert view.result is not None
    return view.result


def codes(result: dict) -> list[str]:
    return [finding["code"] for finding in result["findings"]]


def test_what_fits_passes_with_a_plan(prepared, tiny_model):
    result = check(prepared, tiny_model)
    assert (result["passed"], result["findings"]) == (True, [])
    plan = result["plan"]
    assert (plan["rows"], plan["steps"]) == (40, 5)
    assert plan["shared_prefix_tokens"] > 5
    assert plan["memory_bytes"]["total"] == sum(size for part, size in plan["memory_bytes"].items() if part != "total")
    assert plan["runtime"]["memory_bytes"] > plan["memory_bytes"]["total"]


def test_a_pass_writes_no_event(prepared, tiny_model):
    with reading() as session:
        before = session.query(RunEvent).count()
    check(prepared, tiny_model)
    with reading() as session:
        assert session.query(RunEvent).count() == before


def test_more_memory_than_there_is_blocks(prepared, tiny_model, tmp_path):
    huge = tmp_path / "huge"
    shutil.copytree(tiny_model, huge)
    config = read_json(huge / "config.json")
    write_json(huge / "config.json", config | {"num_hidden_layers": 10_000_000})
    result = check(prepared, huge)
    assert (result["passed"], codes(result)) == (False, ["memory_does_not_fit", "disk_does_not_fit"])
    assert "GB needed" in result["findings"][0]["measured"]
    assert "pack_tokens" in result["findings"][0]["next_step"]


def test_an_architecture_that_we_do_not_train_is_named(prepared, tiny_model, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other)
    write_json(other / "config.json", read_json(other / "config.json") | {"architectures": ["GPT2LMHeadModel"]})
    result = check(prepared, other)
    assert (codes(result), result["plan"]) == (["architecture_not_trainable"], None)
    assert result["findings"][0]["measured"] == "GPT2LMHeadModel"


def test_rows_that_are_too_long_are_counted_before_training(prepared, tiny_model):
    result = check(prepared, tiny_model, settings={"max_length": "10"})
    assert codes(result) == ["rows_over_length", "no_trainable_rows"]
    assert result["findings"][0]["measured"] == "40 of 40 rows"


def test_gates_that_name_what_is_not_there_block_and_optional_ones_too(prepared, tiny_model, tmp_path):
    gates = (
        gate(gate_id="a", metric_id="json_validity_rate", required=False),  # of several labels a row, not of one
        gate(gate_id="b", metric_id="recall", class_id="postive"),
    )
    result = check(prepared, tiny_model, eval_pack=write_pack(tmp_path, *gates))
    assert codes(result) == ["gate_metric_unknown", "gate_class_unknown"]
    assert "accuracy" in result["findings"][0]["limit"]
    assert result["findings"][1]["limit"] == "did you mean positive? known: negative, positive"


def test_a_gate_on_a_slice_or_a_class_is_held_against_its_own_rows(prepared, tiny_model, tmp_path):
    slices = [{"slice_id": "none", "field": "language", "equals": "en"}, {"slice_id": "all", "field": "text", "min_words": 1}]
    gates = (
        gate(gate_id="a", slice_id="none"),
        gate(gate_id="b", slice_id="all"),
        gate(gate_id="c", metric_id="recall", class_id="positive", threshold=0.97),
        gate(gate_id="d", slice_id="none", required=False),
    )
    result = check(prepared, tiny_model, eval_pack=write_pack(tmp_path, *gates, spec={"slices": slices}))
    assert codes(result) == ["gate_without_rows", "gate_undecidable"]
    assert result["findings"][0]["measured"] == "0 eval rows of slice none for gate a"
    assert "eval rows of class positive for gate c" in result["findings"][1]["measured"]


def test_too_few_eval_rows_to_decide_a_gate_block(prepared, tiny_model):
    call("test", PrepareRequest(project=prepared, train_rows=40, dev_rows=8, eval_rows=4))
    result = check(prepared, tiny_model)
    assert codes(result) == ["gate_undecidable"]
    assert result["findings"][0]["measured"].startswith("4 eval rows")


def test_one_label_blocks(project, tiny_model):
    add_rows(project, reviews(60, share_positive=59 / 60))
    call("test", PrepareRequest(project=project, train_rows=10, dev_rows=4, eval_rows=30))
    assert "one_label" in codes(check(project, tiny_model))


def test_nothing_prepared_is_refused_with_the_next_step(project, tiny_model):
    with pytest.raises(RunFailed) as stopped:
        check(project, tiny_model)
    assert stopped.value.view.problem["code"] == "not_prepared"
    assert "brewslm prepare" in stopped.value.view.problem["next_step"]
