"""However few tokens go through the model at once, a step's loss and gradients are those of the whole batch."""

import pytest

from tests.stages.train.small import job_for

WHOLE = 10_000


@pytest.fixture(scope="module")
def step(tmp_path_factory, tiny_model):
    """A function of pack_tokens: loss and gradients of one optimizer step of 24 rows with answers of unlike lengths."""
    import torch
    from transformers import AutoModelForCausalLM

    from brewslm.models.packed_attention import attend_within_rows
    from brewslm.models.packing import Example
    from brewslm.processes.context import ChildContext
    from brewslm.stages.train import trainer as training
    from brewslm.stages.train.adapter import with_adapter

    folder = tmp_path_factory.mktemp("steps")
    examples = [
        Example(f"r{n}", [1, 300, 301, *range(10 + n, 40 + n), *range(100, 101 + n % 7 * 3), 2], 3 + 30) for n in range(24)
    ]

    def taken(pack_tokens: int):
        recipe = job_for(folder, tiny_model, pack_tokens=str(pack_tokens), batch_size="24", precision="fp32").recipe
        model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
        attend_within_rows(model)
        model = with_adapter(model, recipe)
        with torch.no_grad():  # as after some steps: at B = 0 no gradient would reach A
            for name, weight in model.named_parameters():
                if "lora_B" in name:
                    weight.copy_(torch.linspace(-0.1, 0.1, weight.numel()).view_as(weight))
        plan = training.plan_for(recipe, 24, folder / "checkpoints", {})
        trainer = training.build(model, recipe, examples, [], plan, ChildContext(folder), "exp-1")
        batch = next(iter(trainer.get_train_dataloader()))
        loss = trainer.training_step(model, batch)
        gradients = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
        return loss, gradients, len(batch["packs"])

    return taken


@pytest.mark.parametrize("pack_tokens", [1, 60, 200, 700])
def test_micro_batches_give_the_big_batchs_loss_and_gradients(step, pack_tokens):
    import torch

    whole_loss, whole, one = step(WHOLE)
    loss, gradients, passes = step(pack_tokens)
    assert one == 1 and passes > 1
    assert torch.allclose(loss, whole_loss, rtol=1e-5, atol=0)
    assert set(gradients) == set(whole) and any("lora_A" in name for name in whole)
    for name, gradient in gradients.items():
        assert (gradient - whole[name]).norm() <= 1e-5 * whole[name].norm(), name
