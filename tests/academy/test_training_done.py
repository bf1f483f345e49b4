"""Exercises that a training leaves: by real trainings and evaluations of a model of two layers."""

import pytest

from brewslm.observe.academy import academy, exercise
from brewslm.pipeline.execute import call
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.train import ReproduceRequest
from tests.stages.train.conftest import prepared, request_for  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow


def done(project):
    return {one.name for part in academy(project).parts for one in part.lessons if one.progress.exercise_done}


def test_two_trainings_and_an_evaluation_are_seen_for_what_they_are(request_for, prepared):
    call("test", request_for(settings={"method": "lora"}))
    assert {"loss"} <= done(prepared) and not {"lora", "packing", "why-small"} & done(prepared)
    call("test", request_for(settings={"method": "dora"}))
    assert {"loss", "lora", "packing", "learning-rate"} <= done(prepared)
    call("test", EvaluateRequest(experiment="exp-2", eval_pack="fast"))
    assert [one.event is not None for one in exercise("intervals-and-power", prepared).steps] == [True, False]
    assert "why-small" in done(prepared)


def test_an_early_end_and_a_reproduction_are_seen(request_for, prepared):
    call("test", PrepareRequest(project=prepared, train_rows=24, dev_rows=8, eval_rows=40))
    call("test", request_for(settings={"epochs": "30", "checkpoints": "30", "patience": "2"}))
    assert {"overfitting"} <= done(prepared)
    assert "the-stream-and-the-passports" not in done(prepared)
    call("test", ReproduceRequest(experiment="exp-1"))
    assert "the-stream-and-the-passports" in done(prepared)
