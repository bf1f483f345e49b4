"""Attention in whole fp32 where all other products round their inputs to bf16: short rows are done faster so, not slower.

Forward and backward over 64 rows of 64 positions and 4 heads of 48, torch's kernel for a CPU takes 9 ms in fp32, and 78 if it is
to round; over 128 positions and 12 heads 36 ms against 127. Only from some 700 positions on does rounding pay (torch 2.13, two
threads of AVX-512). Causal models, which pack their rows, have a kernel of our own: see attention.py.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

NAME = "brewslm_exact"
LONGEST = 512
"""Positions up to which a row is short."""


def attend_exactly(model: Any) -> None:
    """Let a transformers model, with an adapter or without, attend so; one whose attention is of its own kind keeps it."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    inner = model.get_base_model() if hasattr(model, "peft_config") else model
    if inner.config._attn_implementation != "sdpa":
        return
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    inner.set_attn_implementation(NAME)


def attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, *, position_bias: Any = None, **further: Any
) -> tuple[Any, None]:
    """What transformers calls in every layer: its own `sdpa`, exactly where rows are short.

    Args:
        query: (rows, heads, positions, width); `key` and `value` (rows, key heads, seen, width).
        attention_mask: None, or what a position sees: (rows, 1, positions, seen).
        position_bias: T5's, which learns: (1, heads, positions, seen).

    Returns:
        (rows, positions, heads, width), and no weights.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward as sdpa

    def attended(*parts: Any) -> Any:
        return sdpa(module, *parts[:4], position_bias=parts[4], **further)[0]

    parts = (query, key, value, attention_mask, position_bias)
    if max(query.shape[2], key.shape[2]) > LONGEST:
        return attended(*parts), None
    return _Exactly.apply(attended, *parts), None  # type: ignore[no-untyped-call]


class _Exactly(torch.autograd.Function):
    """Its graph is kept, to be gone back through in the same precision: that is a setting of the moment, not of a graph."""

    @staticmethod
    def forward(ctx: Any, attended: Callable[..., Any], *parts: Any) -> Any:
        """What `attended` makes of the parts."""
        ctx.inputs = [part.detach().requires_grad_(part.requires_grad) if part is not None else None for part in parts]
        with torch.enable_grad(), _exact():
            ctx.out = attended(*ctx.inputs)
        return ctx.out.detach()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> tuple[Any, ...]:
        """Of each part that learns."""
        learn = [part for part in ctx.inputs if part is not None and part.requires_grad]
        with _exact():
            found = iter(torch.autograd.grad(ctx.out, learn, grad))
        return (None, *(next(found) if part is not None and part.requires_grad else None for part in ctx.inputs))


@contextmanager
def _exact() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
