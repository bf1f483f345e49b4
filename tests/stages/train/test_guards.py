"""What would be silently wrong ends in an error with its reason, each by a cause that could be real."""

from pathlib import Path

import pytest

from brewslm.errors import StageError
from brewslm.models.packing import Example
from brewslm.reasons import REGISTRY, Stage
from tests.stages.train.small import changed_model, job_for, steps, stopped


def guard_of(error: StageError) -> str:
    assert error.reason.code == "training_runtime_error" and error.next_step
    return str(error.reason.payload()["guard"])


def norm_scaled(factor: float):
    def change(model):
        model.model.norm.weight.mul_(factor)

    return change


def knows_what_follows(model) -> None:
    """Each token gives the one that follows it in an answer of "positive": nothing is left to learn."""
    import torch

    from brewslm.models.loading import load_tokenizer
    from brewslm.models.templates import end_token_id, text_ids

    tokenizer = load_tokenizer(model.config._name_or_path)
    before, answer = text_ids(tokenizer, "assistant\n")[-1], text_ids(tokenizer, "positive")
    follows = [*answer, end_token_id(tokenizer)]
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    embedded = torch.nn.functional.normalize(model.model.embed_tokens.weight, dim=1)
    model.lm_head.weight.zero_()
    for token, following in zip([before, *answer], follows, strict=True):
        model.lm_head.weight[following] += 1000 * embedded[token]


def test_a_loss_that_is_exactly_zero_stops_it(tmp_path, tiny_model, monkeypatch):
    monkeypatch.setattr("tests.experiments.LABELS", ["positive", "positive"])
    base = changed_model(tiny_model, tmp_path / "sure", knows_what_follows)
    error = stopped(job_for(tmp_path, base))
    assert guard_of(error) == "loss_zero" and error.reason.payload()["last_step"] == 1


def test_a_loss_that_is_not_finite_stops_it(tmp_path, tiny_model):
    error = stopped(job_for(tmp_path, changed_model(tiny_model, tmp_path / "nan", norm_scaled(float("nan")))))
    assert guard_of(error) == "loss_not_finite" and "at step 1" in error.cause


def test_a_gradient_that_is_not_finite_stops_it_before_it_is_counted(tmp_path, tiny_model):
    job = job_for(tmp_path, changed_model(tiny_model, tmp_path / "huge", norm_scaled(1e28)))
    assert guard_of(stopped(job)) == "gradient_not_finite"
    assert steps(job) == [] and not list((job.output / "checkpoints").glob("checkpoint-*"))


def test_a_gradient_of_zero_stops_it(tmp_path, tiny_model):
    """With the final norm at zero every answer is as likely as any other, and nothing below can change that."""
    error = stopped(job_for(tmp_path, changed_model(tiny_model, tmp_path / "dead", norm_scaled(0.0))))
    assert guard_of(error) == "gradient_zero"


def test_an_adapter_that_learned_nothing_is_an_error(tmp_path, tiny_model):
    error = stopped(job_for(tmp_path, tiny_model, learning_rate="1e-45"))
    assert guard_of(error) == "adapter_unchanged" and "--set learning_rate" in error.next_step


@pytest.mark.parametrize("ids", [[1, 2, 3, 9], [1, 2]], ids=["cut off by truncation", "nothing but the prompt"])
def test_an_end_mark_that_is_not_supervised_is_an_error_that_names_the_row(ids):
    from brewslm.stages.train.guards import end_must_be_supervised

    whole = Example("whole", [1, 2, 3, 7], 2)
    end_must_be_supervised([whole], 7, "exp-1")
    with pytest.raises(StageError) as caught:
        end_must_be_supervised([whole, Example("cut", ids, 2)], 7, "exp-1")
    assert guard_of(caught.value) == "end_not_supervised" and "row cut" in caught.value.cause


def test_each_reason_of_training_is_met_by_a_test():
    """Whoever adds one writes the test that reaches it by a real cause."""
    said = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py") if path.name != "test_reasons.py")
    codes = {code for code, reason in REGISTRY.items() if reason.stage is Stage.TRAINING}
    assert codes and {code for code in codes if f'"{code}"' not in said} == set()
