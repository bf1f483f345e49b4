"""Training by preference learns, and is resumed, paused, stopped and guarded as any other."""

import pytest

from brewslm.processes.context import PAUSE, Paused
from brewslm.stages.train.reproduce import first_difference
from tests.stages.train.pairs import pair_job, pairs
from tests.stages.train.small import steps, stopped, told, train, train_until

# Steps of 4 pairs, 5 to an epoch, several passes to a step; checkpoints at 4, 8, 12, 16 (in mid-epoch) and 20.
LONG = {"checkpoints": "5", "pack_tokens": "160", "precision": "fp32"}
OBJECTIVES = ("dpo", "orpo")


@pytest.fixture(scope="module", params=OBJECTIVES)
def straight(request, tmp_path_factory, tiny_model):
    """A run that was never cut off: its job and its result."""
    job = pair_job(tmp_path_factory.mktemp("straight"), tiny_model, dev=4, objective=request.param, **LONG)
    return job, train(job)


def test_it_learns_to_prefer_and_the_trace_tells_of_it(straight):
    job, result = straight
    first, last = steps(job)[0], steps(job)[-1]
    assert result.steps == 20 and last["loss"] < 0.5 * first["loss"]
    assert last["reward_accuracy"] == 1.0 and last["reward_margin"] > 5 * abs(first["reward_margin"])
    assert {"learning_rate", "grad_norm", "tokens", "memory_bytes", "row_ids"} <= set(last) and len(last["row_ids"]) == 4
    known = {row["row_id"] for row in pairs()[:20]}
    assert {row_id for step in steps(job)[:5] for row_id in step["row_ids"]} == known, "an epoch is every pair once"
    assert [line["step"] for line in steps(job, "eval")] == [4, 8, 12, 16, 20]
    assert result.environment.libraries["trl"]


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(straight, tmp_path, tiny_model):
    job, whole = straight
    cut = pair_job(tmp_path, tiny_model, dev=4, objective=job.recipe.objective, **LONG)
    train_until(cut, 11)
    assert train(cut).adapter_sha256 == whole.adapter_sha256
    assert told(cut) == ["training_resumed"]
    assert first_difference(job.output.parent / "run" / "trace.jsonl", cut.output.parent / "run" / "trace.jsonl") is None


def test_a_pause_keeps_where_it_was_and_changes_nothing(straight, tmp_path, tiny_model):
    job, whole = straight
    paused = pair_job(tmp_path, tiny_model, dev=4, objective=job.recipe.objective, **LONG)
    train_until(paused, 5)
    mark = tmp_path / "run" / PAUSE
    mark.touch()
    with pytest.raises(Paused):
        train(paused)
    mark.unlink()
    assert train(paused).adapter_sha256 == whole.adapter_sha256


def test_a_pause_while_the_base_is_asked_comes_before_any_step_and_is_gone_on_from(tmp_path, tiny_model):
    job = pair_job(tmp_path, tiny_model, objective="dpo", **LONG)
    mark = tmp_path / "run" / PAUSE
    mark.parent.mkdir()
    mark.touch()
    with pytest.raises(Paused):
        train(job)
    assert not steps(job) and not list(job.output.glob("checkpoints/checkpoint-*"))
    mark.unlink()
    assert train(job).steps == 24


def test_passes_of_another_size_learn_the_same(straight, tmp_path, tiny_model):
    job, whole = straight
    other = pair_job(tmp_path, tiny_model, dev=4, objective=job.recipe.objective, **(LONG | {"pack_tokens": "1000"}))
    assert train(other).final_train_loss == pytest.approx(whole.final_train_loss, rel=1e-3)
    assert steps(other, "packs")[-1]["longest_pack"] > steps(job, "packs")[-1]["longest_pack"] == 160


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_stops_when_the_dev_loss_has_stopped_falling(tmp_path, tiny_model, objective):
    restless = {"epochs": "20", "checkpoints": "50", "patience": "2", "learning_rate": "0.3", "schedule": "constant"}
    job = pair_job(tmp_path, tiny_model, dev=4, objective=objective, **restless)
    assert train(job).steps < 100 and told(job)[-1] == "training_stopped_early"


def test_every_weight_can_be_trained_with_the_base_as_it_was_for_reference(tmp_path, tiny_model):
    job = pair_job(tmp_path, tiny_model, method="full", learning_rate="0.003", precision="fp32")
    result = train(job)
    assert steps(job)[0]["loss"] == pytest.approx(0.6931, abs=1e-3) and steps(job)[-1]["loss"] < 0.3
    assert (job.output / "adapter" / "model.safetensors").exists() and result.method == "full"


def test_a_dora_adapter_learns_to_prefer(tmp_path, tiny_model):
    job = pair_job(tmp_path, tiny_model, method="dora", precision="fp32")
    train(job)
    assert steps(job)[0]["loss"] == pytest.approx(0.6931, abs=1e-3) and steps(job)[-1]["loss"] < 0.4


def test_rows_that_can_not_be_told_apart_are_rejected_with_their_reason(tmp_path, tiny_model):
    made = pairs()
    for at, change in enumerate(({"rejected": made[0]["payload"]["chosen"]}, {"chosen": ""}, {"chosen": "good " * 600})):
        made[at]["payload"] |= change
    result = train(pair_job(tmp_path, tiny_model, rows=made, epochs="1"))
    assert result.ledger.rejected == {"identical_pair": 1, "nothing_supervised": 1, "over_length": 1}
    assert result.trained_rows == 21 and result.ledger.rows_in == 24


def test_a_recipe_for_other_rows_is_refused_with_what_to_take(tmp_path, tiny_model):
    error = stopped(pair_job(tmp_path, tiny_model, objective="supervised"))
    assert error.reason.code == "training_dispatch_error" and error.reason.payload()["blockers"] == ["recipe_objective"]
    assert "--recipe preference" in error.next_step


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_adapter_that_did_not_change_is_an_error(tmp_path, tiny_model, objective):
    error = stopped(pair_job(tmp_path, tiny_model, objective=objective, learning_rate="1e-45"))
    assert error.reason.payload()["guard"] == "adapter_unchanged"


def test_an_end_mark_that_is_missing_of_the_worse_answer_is_an_error(tmp_path, tiny_model, monkeypatch):
    from brewslm.handlers import examples

    whole = examples.example_ids

    def without_end(tokenizer, prompt, completion):
        ids, length = whole(tokenizer, prompt, completion)
        return (ids[:-1] if "awful" in completion else ids), length

    monkeypatch.setattr(examples, "example_ids", without_end)
    assert stopped(pair_job(tmp_path, tiny_model)).reason.payload()["guard"] == "end_not_supervised"
