"""DPO and ORPO on our tokens and packs are the formulas of their papers, and what TRL itself computes of the same tokens."""

import math

import pytest

from brewslm.models.packing import Example, Pair
from tests.stages.train.pairs import pair_job

BETA = 0.3


def pairs() -> list[Pair]:
    """Prompts and answers of unlike lengths."""
    made = []
    for n in range(8):
        prompt = [1, 300, 301, *range(10 + n, 14 + 2 * n)]
        better, worse = [100 + n, *range(120, 120 + n % 3), 2], [200 - n, *range(140, 140 + n % 4), 2]
        made.append(Pair(*(Example(f"r{n}", prompt + answer, len(prompt)) for answer in (better, worse))))
    return made


def moved(model):
    """As after some steps: at B = 0 no gradient would reach A, and DPO could not tell the model from its base."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name and ".ref." not in name:
                weight.copy_(torch.linspace(-0.1, 0.1, weight.numel()).view_as(weight))
    return model


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, tiny_model):
    """A function: the recipe, the plain model with its adapter, and that which attends within rows."""
    import torch
    from transformers import AutoModelForCausalLM

    from brewslm.stages.train.adapter import model_to_train, with_adapter

    folder = tmp_path_factory.mktemp("loss")

    def made(**settings: str):
        given = {"precision": "fp32", "batch_size": "8", "beta": str(BETA)} | settings
        recipe = pair_job(folder / "job", tiny_model, **given).recipe
        plain = with_adapter(AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32), recipe)
        return recipe, plain, model_to_train(tiny_model, recipe, "exp-1")

    return made


def ours(recipe, model, tokenizer, folder):
    """Loss and gradients of one step of the product's trainer, and its figures."""
    from brewslm.processes.context import ChildContext
    from brewslm.stages.train import trainer as training
    from brewslm.stages.train.preference_trainer import build

    plan = training.plan_for(recipe, 8, folder / "checkpoints", {})
    trainer = build(model, tokenizer, recipe, pairs(), [], plan, ChildContext(folder), "exp-1")
    moved(model)
    batch = next(iter(trainer.get_train_dataloader()))
    loss = trainer.training_step(model, batch)
    gradients = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    return loss, gradients, batch


def log_probs(model, example: Example):
    """Of each token of an answer, by transformers alone: (tokens,)."""
    import torch

    said = model(input_ids=torch.tensor([example.ids])).logits[0, example.prompt_length - 1 : -1].log_softmax(-1)
    return said.gather(1, torch.tensor(example.ids[example.prompt_length :])[:, None])[:, 0]


def dpo(model):
    """Rafailov et al. 2023, equation 7: -log σ(β log π(y_w)/π_ref(y_w) - β log π(y_l)/π_ref(y_l)), on the mean over pairs."""
    import torch

    losses = []
    for pair in pairs():
        better, worse = (log_probs(model, example).sum() for example in pair.sequences)
        with torch.no_grad(), model.disable_adapter():
            better_by_base, worse_by_base = (log_probs(model, example).sum() for example in pair.sequences)
        losses.append(-torch.log(torch.sigmoid(BETA * (better - better_by_base) - BETA * (worse - worse_by_base))))
    return torch.stack(losses).mean()


def orpo(model):
    """Hong et al. 2024, equations 4 to 7: the loss of the better answers, less λ log σ(log odds(y_w)/odds(y_l)).

    A sequence's probability is there the geometric mean of its tokens'; the first part is the mean over all their tokens.
    """
    import torch

    better, ratios = [], []
    for pair in pairs():
        each = [log_probs(model, example) for example in pair.sequences]
        chosen, rejected = (part.mean().exp() for part in each)
        odds = (chosen / (1 - chosen)) / (rejected / (1 - rejected))
        ratios.append(torch.log(torch.sigmoid(torch.log(odds))))
        better.append(each[0])
    return -torch.cat(better).mean() - BETA * torch.stack(ratios).mean()


@pytest.mark.parametrize("pack_tokens", [10_000, 60])
@pytest.mark.parametrize("objective", ["dpo", "orpo"])
def test_loss_and_gradients_are_those_of_the_paper_whatever_the_packing(prepared, tiny_model, tmp_path, objective, pack_tokens):
    import torch

    from brewslm.models.loading import load_tokenizer

    recipe, plain, model = prepared(objective=objective, pack_tokens=str(pack_tokens))
    wanted = {"dpo": dpo, "orpo": orpo}[objective](moved(plain))
    wanted.backward()
    loss, gradients, batch = ours(recipe, model, load_tokenizer(tiny_model), tmp_path)
    assert (len(batch["passes"]) == 1) == (pack_tokens == 10_000)
    assert torch.allclose(loss, wanted, rtol=1e-5, atol=0)
    expected = {name: weight.grad for name, weight in plain.named_parameters() if weight.grad is not None}
    assert set(gradients) == set(expected) and any("lora_A" in name for name in gradients)
    for name, gradient in gradients.items():
        assert (gradient - expected[name]).norm() <= 1e-4 * expected[name].norm(), name


def test_the_figures_of_a_step_are_those_of_its_pairs_whatever_the_packing(prepared, tiny_model, tmp_path):
    from brewslm.models.loading import load_tokenizer

    recipe, plain, model = prepared(objective="dpo", pack_tokens="60")
    _, _, batch = ours(recipe, model, load_tokenizer(tiny_model), tmp_path)
    moved(plain)
    margins = []
    for pair in pairs():
        tuned = [log_probs(plain, example).sum().item() for example in pair.sequences]
        with plain.disable_adapter():
            base = [log_probs(plain, example).sum().item() for example in pair.sequences]
        margins.append(BETA * ((tuned[0] - base[0]) - (tuned[1] - base[1])))
    assert batch["figures"]["reward_margin"] == pytest.approx(sum(margins) / 8, abs=1e-4)
    assert batch["figures"]["reward_accuracy"] == pytest.approx(sum(margin > 0 for margin in margins) / 8, abs=1e-6)


def stock(made, config, plain, tokenizer):
    """TRL's own trainer, with nothing of ours."""
    from datasets import Dataset

    rows = Dataset.from_dict({"prompt": ["a"], "chosen": ["good"], "rejected": ["bad"]})
    return made(model=plain, args=config, train_dataset=rows, processing_class=tokenizer)


def test_trls_own_dpo_computes_the_same_of_our_columns(prepared, tiny_model, tmp_path):
    import torch
    from trl import DPOConfig, DPOTrainer
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    from brewslm.models.loading import load_tokenizer
    from brewslm.stages.train.preference_trainer import dpo_columns

    tokenizer = load_tokenizer(tiny_model)
    recipe, plain, model = prepared(objective="dpo")
    config = DPOConfig(
        output_dir=str(tmp_path), beta=BETA, use_cpu=True, bf16=False, gradient_checkpointing=False, max_length=None, report_to=[]
    )
    theirs = stock(DPOTrainer, config, plain, tokenizer)
    columns = DataCollatorForPreference(pad_token_id=2)([dpo_columns(pair, (0.0, 0.0)) for pair in pairs()])
    columns = {name: value for name, value in columns.items() if not name.startswith("ref_")}
    loss, _, _ = ours(recipe, model, tokenizer, tmp_path)
    with torch.no_grad():
        assert torch.allclose(theirs.compute_loss(moved(plain), columns), loss, rtol=1e-5, atol=0)


def test_trls_own_orpo_finds_the_same_log_probabilities_and_odds(prepared, tiny_model, tmp_path, monkeypatch):
    import torch

    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    from brewslm.models.loading import load_tokenizer

    _, plain, _ = prepared(objective="orpo")
    config = ORPOConfig(output_dir=str(tmp_path), beta=BETA, use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[])
    theirs = stock(ORPOTrainer, config, plain, load_tokenizer(tiny_model))
    sides = {"chosen": [pair.chosen for pair in pairs()], "rejected": [pair.rejected for pair in pairs()]}
    batch = {}
    for side, examples in sides.items():
        longest = max(len(one.ids) for one in examples)
        padded = [(one, [0] * (longest - len(one.ids))) for one in examples]
        batch[f"{side}_input_ids"] = torch.tensor([one.ids + rest for one, rest in padded])
        batch[f"{side}_attention_mask"] = torch.tensor([[1] * len(one.ids) + rest for one, rest in padded])
        labels = [[-100] * one.prompt_length + one.ids[one.prompt_length :] + [-100] * len(rest) for one, rest in padded]
        batch[f"{side}_labels"] = torch.tensor(labels)
    with torch.no_grad():
        chosen, rejected, *_ = theirs.concatenated_forward(moved(plain), batch)
        losses, *_ = theirs.odds_ratio_loss(chosen, rejected)
        better = torch.cat([log_probs(plain, pair.chosen) for pair in pairs()])
        assert torch.allclose(chosen, torch.stack([log_probs(plain, pair.chosen).mean() for pair in pairs()]), rtol=1e-4)
        assert torch.allclose(-better.mean() - losses.mean(), orpo(plain), rtol=1e-5)


def test_before_the_first_step_dpos_loss_is_that_of_a_coin(prepared, tiny_model, tmp_path):
    from brewslm.models.loading import load_tokenizer
    from brewslm.processes.context import ChildContext
    from brewslm.stages.train import trainer as training
    from brewslm.stages.train.preference_trainer import build

    recipe, _, model = prepared(objective="dpo")
    plan = training.plan_for(recipe, 8, tmp_path / "checkpoints", {})
    trainer = build(model, load_tokenizer(tiny_model), recipe, pairs(), [], plan, ChildContext(tmp_path), "exp-1")
    loss = trainer.training_step(model, next(iter(trainer.get_train_dataloader())))
    assert float(loss) == pytest.approx(math.log(2), abs=1e-6)
