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
def models(tiny_model):
    """Its plain twin, and the one that attends within rows."""
    import torch
    from transformers import AutoModelForCausalLM

    from brewslm.models.packed_attention import attend_within_rows

    plain, packed = (AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32) for _ in range(2))
    attend_within_rows(packed)
    return plain, packed


def plain_loss(model, rows: list[Example]):
    """The stock loss of each row by itself, over its supervised tokens."""
    import torch

    total = torch.zeros(())
    for row in rows:
        logits = model(input_ids=torch.tensor([row.ids])).logits[0, row.prompt_length - 1 : -1]
        labels = torch.tensor(row.ids[row.prompt_length :])
        for start, stop in row.masked:
            labels[start - row.prompt_length : stop - row.prompt_length] = -100
        total = total + torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    return total


def masked_examples() -> list[Example]:
    """With another's words between the supervised ones: two gaps, one, none."""
    whole = [Example(f"r{n}", [*PREFIX, 10 + n, *range(40, 52 + n), 2], len(PREFIX) + 1) for n in range(3)]
    return [
        Example("r0", whole[0].ids, whole[0].prompt_length, ((7, 9), (11, 14))),
        Example("r1", whole[1].ids, whole[1].prompt_length, ((8, 10),)),
        whole[2],
    ]


@pytest.mark.parametrize("budget", [1, 20, 10_000])
@pytest.mark.parametrize("prefix_tokens", [0, 4])
@pytest.mark.parametrize("rows", [examples(), masked_examples()], ids=["answers", "talks"])
def test_loss_and_gradients_equal_the_plain_computation(models, budget, prefix_tokens, rows):
    import torch

    from brewslm.stages.train.loss import pack_loss

    plain, packing = models
    wanted = plain_loss(plain, rows)
    packs = pack(rows, PREFIX[:prefix_tokens], budget)
    found = sum(pack_loss(packing, packed, packing.lm_head.weight.detach()) for packed in packs)
    assert torch.allclose(found, wanted, rtol=1e-5)
    for name in ("mlp.up_proj", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"):
        (expected,), (got,) = (
            torch.autograd.grad(loss, model.model.layers[0].get_submodule(name).weight, retain_graph=True)
            for loss, model in ((wanted, plain), (found, packing))
        )
        assert torch.allclose(got, expected, rtol=1e-3, atol=1e-6), name


def test_passes_of_many_lengths_are_of_few_for_the_products(models):
    from brewslm.stages.train.loss import pack_loss

    _, packing = models
    seen, layer = [], packing.model.layers[0].self_attn
    hook = layer.q_proj.register_forward_hook(lambda module, given, out: seen.append(given[0].shape[1]))
    lengths = []
    for count in range(1, 12):
        (packed,) = pack(examples(count), PREFIX, 10_000)
        lengths.append(len(packed.ids))
        pack_loss(packing, packed, packing.lm_head.weight.detach())
    hook.remove()
    assert len(set(lengths)) == 11 and max(lengths) > 64
    assert seen == [-(-length // 32) * 32 for length in lengths]


def test_a_row_longer_than_the_models_window_is_refused_not_trained_on_otherwise_than_it_is_served():
    from transformers import AutoModelForCausalLM, MistralConfig

    from brewslm.models.packed_attention import attend_within_rows
    from brewslm.stages.train.loss import pack_loss

    config = MistralConfig(
        vocab_size=512, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
        sliding_window=8,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config)
    attend_within_rows(model)
    short, long = (pack([Example("r", list(range(1, tokens)), 4)], [], 100)[0] for tokens in (9, 10))
    assert pack_loss(model, short, model.lm_head.weight.detach()) > 0
    with pytest.raises(ValueError, match="a row of 9 tokens is longer than the model's window of 8"):
        pack_loss(model, long, model.lm_head.weight.detach())


def test_a_rows_positions_follow_the_prefix_whatever_stands_before_it_in_the_pack():
    (packed,) = pack(examples(2), PREFIX, 100)
    assert (packed.prefix, packed.lengths) == (4, [5, 5])
    assert packed.positions == [0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 5, 6, 7, 8]


def test_every_supervised_token_is_a_target_once_and_the_end_mark_is_one_of_them():
    rows = examples()
    packs = pack(rows, PREFIX, 24)
    targets = sorted(target for packed in packs for target in packed.targets if target != -100)
    assert targets == sorted(token for row in rows for token in row.ids[row.prompt_length :])
    assert targets.count(2) == len(rows)


def test_what_is_masked_between_supervised_tokens_is_no_target():
    rows = masked_examples()
    (packed,) = pack(rows, PREFIX, 1000)
    targets = [target for target in packed.targets if target != -100]
    kept = [at for at in range(5, 18) if not (7 <= at < 9 or 11 <= at < 14)]
    assert targets[: rows[0].supervised] == [rows[0].ids[at] for at in kept]
    assert len(targets) == packed.supervised == sum(row.supervised for row in rows)
    assert [label for label in rows[1].labels() if label != -100] == [*rows[1].ids[5:8], *rows[1].ids[10:]]


def test_a_pack_keeps_to_its_budget_unless_one_row_is_longer():
    packs = pack(examples(6), PREFIX, 16)
    assert all(len(packed.ids) <= 16 or len(packed.lengths) == 1 for packed in packs)
    assert sum(len(packed.lengths) for packed in packs) == 6


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
