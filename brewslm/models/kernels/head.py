"""The output matrix and the cross-entropy, with its gradient, a few tokens at a time: no logits are kept."""

from typing import Any

import torch

CHUNK = 256
"""Tokens multiplied at once: at 49,152 words their logits are 25 MB in bf16, in a buffer that every chunk uses again."""
TILE = 16
"""Tokens whose softmax is computed at once: 3 MB in fp32, which stay in the processor's cache from one pass to the next."""


class _TokenLosses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Any, head: Any, targets: Any) -> Any:
        """The losses; and with them already their gradients, for the logits are at hand now."""
        wanted = ctx.needs_input_grad[0]
        low = hidden.to(head.dtype)
        grad = torch.empty_like(low) if wanted else None
        losses = torch.empty(len(low), dtype=torch.float32, device=hidden.device)
        logits = low.new_empty(min(CHUNK, len(low)), len(head))
        exact = low.new_empty(min(TILE, len(low)), len(head), dtype=torch.float32)
        for start in range(0, len(low), CHUNK):
            part = torch.mm(low[start : start + CHUNK], head.t(), out=logits[: len(low) - start])
            tiles = (whole[start : start + CHUNK].split(TILE) for whole in (targets.unsqueeze(1), losses))
            for tile, right, lost in zip(part.split(TILE), *tiles, strict=True):  # type: ignore[no-untyped-call]
                lost.copy_(_to_gradient(tile, right, exact[: len(tile)]))
            if grad is not None:
                torch.mm(part, head, out=grad[start : start + CHUNK])
        ctx.save_for_backward(*([grad] if grad is not None else []))
        ctx.input_dtype = hidden.dtype
        return losses

    @staticmethod
    def backward(ctx: Any, grad: Any) -> tuple[Any, ...]:
        """Of hidden."""
        (kept,) = ctx.saved_tensors
        return kept.to(ctx.input_dtype) * grad.unsqueeze(1), None, None


def _to_gradient(logits: Any, right: Any, exact: Any) -> Any:
    """Turn logits (tokens, vocabulary) into the gradient of their cross-entropy, in place; returns that: (tokens,).

    Args:
        right: The right words: (tokens, 1).
        exact: Of the same shape, fp32, to compute in.
    """
    exact.copy_(logits)
    most, at = exact.max(1, keepdim=True)
    above = most - exact.gather(1, right)
    torch.softmax(exact, -1, out=exact)
    lost = above - exact.gather(1, at).log()  # the likeliest word's chance is 1 over the sum of all
    exact.scatter_add_(1, right, exact.new_full(right.shape, -1.0))
    logits.copy_(exact)
    return lost[:, 0]


def token_losses(hidden: Any, head: Any, targets: Any) -> Any:
    """Cross-entropy (tokens,), fp32, of hidden (tokens, width) against targets (tokens,), through a frozen head.

    Args:
        head: (vocabulary, width); the logits are computed in its dtype, their softmax in fp32.
    """
    return _TokenLosses.apply(hidden, head, targets)  # type: ignore[no-untyped-call]


def supervised_loss(hidden: Any, head: Any, targets: Any) -> Any:
    """The sum of `token_losses`: a scalar, added up chunk by chunk."""
    losses = token_losses(hidden, head, targets)
    return sum((part.sum() for part in losses.split(CHUNK)), torch.zeros((), device=hidden.device))
