"""Methods beside LoRA: every weight trained, and a base held in four bits."""

import sys

import pytest

from brewslm.models.trained import is_whole, trained_weights
from brewslm.observe.predict import ask_experiment
from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.export import ExportRequest
from brewslm.store.files import sha256
from tests.experiments import make_experiment
from tests.stages.train.small import changed_model, job_for, steps, stopped, train, train_until

pytestmark = pytest.mark.usefixtures("warm_children")

FULL = {"method": "full", "learning_rate": "0.003"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tiny_model):
    """A job that trained every weight until it was sure of its answers."""
    job = job_for(tmp_path_factory.mktemp("whole"), tiny_model, epochs="12", **FULL)
    train(job)
    return job


@pytest.fixture(params=["tied", "its own"])
def base(request, tiny_model, tmp_path):
    """A model whose output matrix is that of its embeddings, and one that has two."""
    return tiny_model if request.param == "tied" else changed_model(tiny_model, tmp_path / "untied", lambda _model: None)


def test_with_every_weight_trained_loss_and_gradients_are_those_of_the_plain_model(base):
    import torch
    from transformers import AutoModelForCausalLM

    from brewslm.models.packed_attention import attend_within_rows
    from brewslm.models.packing import Example, pack, shared_prefix
    from brewslm.stages.train.loss import output_matrix, pack_loss

    examples = [Example(f"r{n}", [1, 300, 301, *range(10 + n, 20 + n), *range(100, 101 + n), 2], 13) for n in range(4)]
    plain, ours = (AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).train() for _ in range(2))
    total = torch.zeros(())
    for example in examples:
        ids = torch.tensor([example.ids])
        labels = torch.tensor([[-100] * example.prompt_length + example.ids[example.prompt_length :]])
        total = total + plain(input_ids=ids, labels=labels).loss * example.supervised
    total.backward()
    attend_within_rows(ours)
    head = output_matrix(ours, torch.float32)
    (packed,) = pack(examples, shared_prefix(examples), 1000)
    loss = pack_loss(ours, packed, head())
    loss.backward()
    assert torch.allclose(loss, total, rtol=1e-5)
    wanted = {name: weight.grad for name, weight in plain.named_parameters()}
    assert all(weight.grad is not None for weight in ours.parameters())
    for name, weight in ours.named_parameters():
        assert (weight.grad - wanted[name]).norm() <= 1e-4 * wanted[name].norm(), name


def test_the_output_matrix_is_what_it_is_by_now_where_it_is_trained_and_kept_where_it_is_not(tiny_model):
    import torch
    from transformers import AutoModelForCausalLM

    from brewslm.stages.train.loss import output_matrix

    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    trained = output_matrix(model, torch.bfloat16)
    assert trained().requires_grad
    with torch.no_grad():
        model.lm_head.weight.mul_(2)
    assert trained().equal(model.lm_head.weight) and trained().dtype == torch.float32
    model.requires_grad_(False)
    kept = output_matrix(model, torch.bfloat16)
    assert kept() is kept() and not kept().requires_grad and kept().dtype == torch.bfloat16


def test_a_full_run_learns_and_goes_on_after_a_kill_to_the_same_bytes(tmp_path, tiny_model):
    settings = FULL | {"epochs": "4", "checkpoints": "5", "pack_tokens": "100"}
    straight = train(job_for(tmp_path / "straight", tiny_model, dev=4, **settings))
    job = job_for(tmp_path / "cut", tiny_model, dev=4, **settings)
    train_until(job, 11)
    resumed = train(job)
    assert resumed.adapter_sha256 == straight.adapter_sha256 == sha256(job.output / "adapter" / "model.safetensors")
    assert [line["code"] for line in steps(job, "reason")] == ["training_resumed"]
    assert steps(job)[-1]["loss"] < steps(job)[0]["loss"] / 2


def test_a_full_run_that_changed_nothing_is_an_error(tmp_path, tiny_model):
    error = stopped(job_for(tmp_path, tiny_model, method="full", learning_rate="1e-45"))
    assert error.reason.payload()["guard"] == "adapter_unchanged" and "that of its base" in error.cause


def test_a_whole_model_is_evaluated_asked_exported_and_promoted_like_an_adapter(project, whole, tiny_model):
    trained = make_experiment(project, tiny_model, whole.output / "adapter")
    assert is_whole(trained.adapter)
    evaluated = call("test", EvaluateRequest(experiment=trained.id)).result["scorecard"]
    accuracy = {name: system["metrics"]["accuracy"]["value"] for name, system in evaluated["systems"].items()}
    assert accuracy["tuned"] == 1.0 > accuracy["base"] and evaluated["adapter_sha256"] == sha256(trained_weights(trained.adapter))
    (answer,) = ask_experiment(trained.id, ["the movie 1 was lovely and lovely"])
    assert answer.output == "positive"
    export = call("test", ExportRequest(experiment=trained.id))
    made = {one["format"]: one["agreement"] for one in export.result["artifacts"]}
    assert set(made) == {"hf", "safetensors-merged", "gguf-f16", "gguf-q8_0", "gguf-q4_k_m"}
    assert made["hf"] == made["gguf-f16"] == 1.0
    version = call("test", CreateRequest(export=export.task_id, variant="gguf-q8_0")).result["deployment"]
    live = call("test", PromoteRequest(deployment=version)).result
    assert live["same"] == live["asked"] > 0
    with pytest.raises(RunFailed) as refused:
        call("test", ExportRequest(experiment=trained.id, formats=("hf", "safetensors-adapter")))
    assert "no adapter" in refused.value.view.problem["detail"]


def test_qlora_without_its_library_is_refused_with_the_command_that_gets_it(tmp_path, tiny_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    error = stopped(job_for(tmp_path, tiny_model, method="qlora"))
    assert error.reason.code == "training_dispatch_error" and error.reason.payload()["blockers"] == ["dependency_missing"]
    assert "brewslm[qlora]" in error.next_step and "bitsandbytes" in error.cause


def test_qlora_learns_on_a_base_in_four_bits_and_its_adapter_serves_the_whole_one(tmp_path, tiny_model):
    pytest.importorskip("bitsandbytes", reason="an extra: pip install 'brewslm[qlora]'")
    from brewslm.models.loading import load_model

    straight = train(job_for(tmp_path / "straight", tiny_model, method="qlora", epochs="6"))
    job = job_for(tmp_path / "cut", tiny_model, method="qlora", epochs="6")
    train_until(job, 20)
    assert train(job).adapter_sha256 == straight.adapter_sha256
    assert steps(job)[-1]["loss"] < steps(job)[0]["loss"] / 2
    assert load_model(tiny_model, job.output / "adapter", "fp32").config.num_hidden_layers == 2
