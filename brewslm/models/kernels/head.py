"""The output matrix and the cross-entropy, with its gradient, a few tokens at a time: no logits are kept."""

from typing import Any

import torch

CHUNK = 256
"""Tokens at once: at 49,152 words their logits are 75 MB, in buffers that every chunk uses again."""


class _TokenLosses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Any, head: Any, targets: Any) -> Any:
        """The losses; and with them already their gradients, for the logits are at hand now."""
        wanted = ctx.needs_input_grad[0]
        low = hidden.to(head.dtype)
        grad = torch.empty_like(low) if wanted else None
        losses = torch.empty(len(low), dtype=torch.float32, device=hidden.device)
        rows = min(CHUNK, len(low))
        logits, exact = (low.new_empty(rows, len(head), dtype=dtype) for dtype in (head.dtype, torch.float32))
        for start in range(0, len(low), CHUNK):
            count = min(CHUNK, len(low) - start)
            part = torch.mm(low[start : start + count], head.t(), out=logits[:count])
            right = targets[start : start + count].unsqueeze(1)
            most, at = part.max(1, keepdim=True)
            above = most.float() - part.gather(1, right).float()
            chances = torch.softmax(exact[:count].copy_(part), -1, out=exact[:count])
            losses[start : start + count] = (above - chances.gather(1, at).log())[:, 0]  # the likeliest: 1 over the sum of all
            if grad is not None:
                chances.scatter_add_(1, right, chances.new_full(right.shape, -1.0))
                torch.mm(part.copy_(chances), head, out=grad[start : start + count])
        ctx.save_for_backward(*([grad] if grad is not None else []))
        ctx.input_dtype = hidden.dtype
        return losses

    @staticmethod
    def backward(ctx: Any, grad: Any) -> tuple[Any, ...]:
        """Of hidden."""
        (kept,) = ctx.saved_tensors
        return kept.to(ctx.input_dtype) * grad.unsqueeze(1), None, None


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
