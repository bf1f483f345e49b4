"""Packed rows give what each row gives by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.models.packing import Example, common_prefix, pack, shared_prefix

PREFIX = [1, 300, 301, 302]


def examples(count: int = 5) -> list[Example]:
    made = []
    for n in range(count):
        own = [10 + n, 20 + n, *range(30, 30 + n)]
        answer = [100 + n, 101, 2][n % 2 :]
        made.append(Example(f"r{n}", PREFIX + own + answer, len(PREFIX) + len(own)))
    return made


@pytest.fixture(scope="module")
def model(tiny_model):
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)


def plain_loss(model, rows: list[Example]):
    """The stock loss of each row by itself, over its supervised tokens."""
    import torch

    total = torch.zeros(())
    for row in rows:
        logits = model(input_ids=torch.tensor([row.ids])).logits[0, row.prompt_length - 1 : -1]
        total = total + torch.nn.functional.cross_entropy(logits, torch.tensor(row.ids[row.prompt_length :]), reduction="sum")
    return total


@pytest.mark.parametrize("budget", [1, 20, 10_000])
@pytest.mark.parametrize("prefix_tokens", [0, 4])
def test_loss_and_gradients_equal_the_plain_computation(model, budget, prefix_tokens):
    import torch

    from brewslm.stages.train.loss import pack_loss

    rows = examples()
    weight = model.model.layers[0].mlp.up_proj.weight
    plain = plain_loss(model, rows)
    (expected,) = torch.autograd.grad(plain, weight)
    packs = pack(rows, PREFIX[:prefix_tokens], budget)
    loss = sum(pack_loss(model, packed, model.lm_head.weight.detach()) for packed in packs)
    (found,) = torch.autograd.grad(loss, weight)
    assert torch.allclose(loss, plain, rtol=1e-5)
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_a_row_sees_neither_its_neighbours_nor_the_future():
    from brewslm.models.packing import tensors

    (packed,) = pack(examples(2), PREFIX, 100)
    sees = tensors(packed)["attention_mask"][0, 0]
    first, second = packed.segments.index(1), packed.segments.index(2)
    assert sees[second, : len(PREFIX)].all()
    assert not sees[second, first:second].any()
    assert not sees[first, first + 1 :].any()
    assert packed.positions[second] == len(PREFIX)


def test_every_supervised_token_is_a_target_once_and_the_end_mark_is_one_of_them():
    rows = examples()
    packs = pack(rows, PREFIX, 24)
    targets = sorted(target for packed in packs for target in packed.targets if target != -100)
    assert targets == sorted(token for row in rows for token in row.ids[row.prompt_length :])
    assert targets.count(2) == len(rows)


def test_a_pack_keeps_to_its_budget_unless_one_row_is_longer():
    packs = pack(examples(6), PREFIX, 16)
    assert all(len(packed.ids) <= 16 or max(packed.segments) == 1 for packed in packs)
    assert sum(max(packed.segments) for packed in packs) == 6


def test_the_shared_prefix_leaves_each_row_a_prompt_token_that_predicts_its_answer():
    same = [Example(str(n), [1, 2, 3, 50 + n], 3) for n in range(3)]
    assert shared_prefix(same) == [1, 2]
    assert shared_prefix(same[:1]) == []


@given(st.lists(st.lists(st.integers(0, 3), max_size=6), min_size=1, max_size=5))
def test_common_prefix_is_shared_by_all_and_can_not_be_longer(sequences):
    prefix = common_prefix(sequences)
    assert all(sequence[: len(prefix)] == prefix for sequence in sequences)
    longer = {tuple(sequence[: len(prefix) + 1]) for sequence in sequences}
    assert len(longer) > 1 or any(len(sequence) == len(prefix) for sequence in sequences)
