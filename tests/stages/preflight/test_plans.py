"""Three plans: what each changes and why, whether it fits; and training takes the one that is asked for."""

from itertools import pairwise

import pytest

from brewslm.models.catalogue import base_model
from brewslm.models.memory import Base, constants
from brewslm.models.packing import Example
from brewslm.models.recipe import FULL_LEARNING_RATE, recipe_named
from brewslm.models.runtime import runtime_profile
from brewslm.models.shape import ModelShape
from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.preflight.plan import Planner
from brewslm.stages.preflight.plans import PLANS
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.train import TrainRequest
from brewslm.store.files import read_json, run_folder
from tests.stages.preflight.checking import checked
from tests.synthetic import add_rows, reviews
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.usefixtures("warm_children")


@pytest.fixture(scope="module")
def wide_model(tmp_path_factory):
    """Wide enough that what a pass keeps is a good part of the memory."""
    return make_tiny_model(tmp_path_factory.mktemp("wide") / "model", layers=8, hidden=512)


def plans(result):
    return {plan.name: plan for plan in result.plans}


def changes(plan) -> dict[str, tuple]:
    assert all(change.reason for change in plan.changes)
    return {change.field: (change.was, change.to) for change in plan.changes}


def test_where_memory_is_plenty_the_recipe_is_left_as_it_is_but_for_more_checkpoints(tiny_model, tmp_path):
    offered = plans(checked(tiny_model, tmp_path))
    assert list(offered) == ["safe", "balanced", "max_quality"]
    assert changes(offered["safe"]) == {"checkpoints": (2, 4)}
    assert changes(offered["balanced"]) == {}
    assert changes(offered["max_quality"]) == {"lora_top_layers": (0.67, 1.0), "lora_r": (16, 32), "lora_alpha": (32, 64)}
    assert all(plan.fits and plan.seconds > 0 for plan in offered.values())


def planner(tiny_model, gigabytes: float, rows: int = 64, tokens: int = 200) -> Planner:
    """Over rows of one length, for a model of 135 M parameters, with so much memory."""
    shape = ModelShape(hidden=576, layers=30, inner=1536, heads=9, kv_heads=3, head_size=64, vocabulary=49152, tied=True)
    examples = [Example(str(at), [at, *range(tokens - 1)], tokens - 20) for at in range(rows)]
    runtime = runtime_profile("cpu").model_copy(update={"memory_bytes": int(gigabytes * 2**30)})
    model = Base(shape=shape, parameters=shape.parameters)
    return Planner(base_model(f"path:{tiny_model}"), model, runtime, examples)


def test_where_memory_is_short_passes_get_smaller_before_the_adapter_does(tiny_model):
    recipe = recipe_named("qa", {"pack_tokens": "3200"})
    needed = planner(tiny_model, 100).memory(recipe).total / 2**30
    offered = {name: make(planner(tiny_model, 0.8 * needed), recipe) for name, make in PLANS.items()}
    assert changes(offered["balanced"]) == {"pack_tokens": (3200, 1600), "checkpoints": (2, 6), "patience": (0, 2)}
    assert all(plan.fits for plan in offered.values())
    tight = PLANS["safe"](planner(tiny_model, 2.2), recipe)
    assert list(changes(tight)) == ["pack_tokens", "lora_r", "lora_top_layers", "lora_alpha", "checkpoints"]
    assert changes(tight)["lora_alpha"] == (32, 16) and changes(tight)["lora_r"] == (16, 8)
    assert changes(tight)["pack_tokens"][1] >= 200, "a row is never cut"


def test_where_even_one_row_of_every_weight_is_too_much_an_adapter_is_the_safe_plan(tiny_model):
    recipe = recipe_named("qa", {"method": "full"})
    tight = PLANS["safe"](planner(tiny_model, 3.2), recipe)
    assert changes(tight)["method"] == ("full", "lora")
    assert changes(tight)["learning_rate"] == (FULL_LEARNING_RATE, 5e-4)


def test_a_plan_says_so_when_nothing_helps(wide_model, tmp_path):
    offered = plans(checked(wide_model, tmp_path, memory_bytes=2**20))
    assert not any(plan.fits for plan in offered.values())


def test_twice_the_epochs_take_twice_the_time_at_the_speed_that_is_measured(wide_model, tmp_path):
    once = checked(wide_model, tmp_path / "a", epochs="1").plan
    twice = checked(wide_model, tmp_path / "b", epochs="2").plan
    assert twice.seconds == pytest.approx(2 * once.seconds, rel=0.05)
    assert "measured now" in once.seconds_basis


@pytest.fixture
def prepared(project):
    add_rows(project, reviews(90))
    call("test", PrepareRequest(project=project, train_rows=40, dev_rows=8, eval_rows=40))
    return project


def test_a_long_run_on_rows_of_differing_length_takes_more_memory_than_a_short_one(tiny_model, tmp_path):
    one, two, four = (checked(tiny_model, tmp_path / epochs, epochs=epochs).plan for epochs in ("1", "2", "4"))
    totals = [plan.memory_bytes["total"] for plan in (one, two, four)]
    adds = constants().doubled_steps_bytes[f"lora {one.runtime.precision}"]
    assert adds > 0
    assert [b - a for a, b in pairwise(totals)] == pytest.approx([adds] * 2, abs=1), "with each doubling"


def test_training_takes_the_plan_that_preflight_showed_and_its_record_says_so(prepared, tiny_model):
    asked = {"project": prepared, "base_model": f"path:{tiny_model}", "settings": {"batch_size": "8", "learning_rate": "0.01"}}
    shown = call("test", PreflightRequest(**asked)).result["plans"]
    best = next(plan for plan in shown if plan["name"] == "max_quality")
    assert [set(change) for change in best["changes"]] == [{"field", "from", "to", "reason"}] * len(best["changes"])
    assert {change["field"] for change in best["changes"]} >= {"epochs", "patience", "lora_r"}
    view = call("test", TrainRequest(**asked, plan="max_quality"))
    job = read_json(run_folder(view.task_id) / "job.json")["job"]
    assert job["plan"] == "max_quality" and view.request["plan"] == "max_quality"
    assert job["train"]["recipe"] == job["preflight"]["recipe"] == best["recipe"]
    again = call("test", PreflightRequest(**asked)).result["plan"]
    assert again["seconds_basis"].startswith(f"{view.task_id} did "), "the next estimate is from what this one did"


def test_without_a_plan_the_recipe_is_as_it_was_asked_for(prepared, tiny_model):
    view = call("test", TrainRequest(project=prepared, base_model=f"path:{tiny_model}", settings={"learning_rate": "0.01"}))
    job = read_json(run_folder(view.task_id) / "job.json")["job"]
    assert job["plan"] is None and job["train"]["recipe"]["lora_r"] == 16


def test_what_fail_open_let_pass_is_in_the_event_and_in_the_experiment(prepared, tiny_model):
    from brewslm.observe.experiments import experiment
    from brewslm.store.database import reading
    from brewslm.store.tables import RunEvent

    call("test", PrepareRequest(project=prepared, train_rows=40, dev_rows=8, eval_rows=4))
    asked = {"project": prepared, "base_model": f"path:{tiny_model}", "settings": {"batch_size": "8", "learning_rate": "0.01"}}
    with pytest.raises(RunFailed) as strict:
        call("test", TrainRequest(**asked))
    assert strict.value.error.reason.payload()["blockers"] == ["gate_undecidable"]
    view = call("test", TrainRequest(**asked, fail_open=True))
    assert view.result["warnings"] == experiment(view.task_id).task.result["warnings"] == ["gate_undecidable"]
    with reading() as session:
        told = [event for event in session.query(RunEvent) if event.run_id == view.task_id]
    assert told[-1].reason_code == "training_completed" and '"warnings":["gate_undecidable"]' in told[-1].payload
