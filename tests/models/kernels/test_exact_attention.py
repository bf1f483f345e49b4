"""Attention of short rows: as exact as without rounding, in training's rounding mode too, and back through it as well."""

import pytest
import torch

from brewslm.models.kernels.exact_attention import LONGEST, attend
from brewslm.models.loading import multiplying_in


def drawn(positions: int) -> list[torch.Tensor]:
    """Query, key and value (2, 4, positions, 32), what of a padded row is seen, and a bias that learns."""
    chance = torch.Generator().manual_seed(positions)
    three = [torch.randn(2, 4, positions, 32, generator=chance, requires_grad=True) for _ in range(3)]
    seen = torch.ones(2, 1, positions, positions, dtype=torch.bool).tril()
    seen[1, ..., : positions // 2] = False
    seen[1, 0].fill_diagonal_(True)
    return [*three, seen, torch.randn(1, 4, positions, positions, generator=chance, requires_grad=True)]


def answer_and_gradients(query, key, value, seen, bias):
    out, weights = attend(torch.nn.Module(), query, key, value, seen, position_bias=bias, scaling=0.2)
    assert weights is None and out.shape == (2, query.shape[2], 4, 32)
    learn = [query, key, value, bias]
    return out.detach(), *torch.autograd.grad(out.square().sum(), learn)


def by_hand(query, key, value, seen, bias):
    scores = (query.double() @ key.double().transpose(2, 3) * 0.2 + bias.double()).masked_fill(~seen, float("-inf"))
    out = (scores.softmax(-1) @ value.double()).transpose(1, 2)
    return out.detach(), *torch.autograd.grad(out.square().sum(), [query, key, value, bias])


def test_short_rows_are_not_rounded_where_all_else_is():
    parts = drawn(24)
    with multiplying_in(torch.bfloat16):
        found = answer_and_gradients(*parts)
        assert torch.get_float32_matmul_precision() == "medium"
    for mine, wanted in zip(found, by_hand(*parts), strict=True):
        torch.testing.assert_close(mine.double(), wanted.double(), rtol=1e-4, atol=1e-4)


def test_what_needs_no_gradient_gets_none():
    query, key, value, seen, bias = drawn(8)
    out, _ = attend(torch.nn.Module(), query.detach(), key, value.detach(), seen, position_bias=bias.detach(), scaling=0.2)
    out.sum().backward()
    assert key.grad is not None and query.grad is None and value.grad is None and bias.grad is None


@pytest.mark.parametrize("positions", [LONGEST, LONGEST + 1])
def test_long_rows_answer_alike(positions):
    query, key, value, seen, bias = (part.detach() for part in drawn(positions))
    with torch.inference_mode():
        out, _ = attend(torch.nn.Module(), query, key, value, seen, position_bias=bias, scaling=0.2)
        scores = (query @ key.transpose(2, 3) * 0.2 + bias).masked_fill(~seen, float("-inf"))
        torch.testing.assert_close(out, (scores.softmax(-1) @ value).transpose(1, 2), rtol=1e-4, atol=1e-4)
