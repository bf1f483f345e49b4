"""Norms and gates: few passes over memory, and nothing kept that can be computed again."""

from collections.abc import Callable
from typing import Any

import torch


class _Norm(torch.autograd.Function):
    """Root mean square norm (arXiv:1910.07467) with a frozen weight."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, eps: float, dtype: torch.dtype) -> Any:
        """(…, width) → the same shape in `dtype`, computed in fp32."""
        wide = x.float()
        length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
        shrink = (length.square() / x.shape[-1] + eps).rsqrt()
        ctx.save_for_backward(x, shrink, weight)
        out = torch.empty(x.shape, dtype=dtype, device=x.device)
        return torch.mul(wide * shrink, weight, out=out)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> tuple[Any, ...]:
        """Of x alone."""
        x, shrink, weight = ctx.saved_tensors
        unit = x.float() * shrink
        moved = grad * weight
        along = torch.linalg.vecdot(moved, unit).unsqueeze(-1) / x.shape[-1]
        return moved.sub_(unit.mul_(along)).mul_(shrink).to(x.dtype), None, None, None


class _Gate(torch.autograd.Function):
    """activation(gate) · up, as in every MLP of these families; the activation is computed again for the backward pass."""

    @staticmethod
    def forward(ctx: Any, gate: Any, up: Any, activation: Callable[[Any], Any]) -> Any:
        """(tokens, inner) twice → once."""
        ctx.save_for_backward(gate, up)
        ctx.activation = activation
        return activation(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> tuple[Any, ...]:
        """Of gate and up."""
        gate, up = ctx.saved_tensors
        with torch.enable_grad():
            entry = gate.detach().requires_grad_()
            active = ctx.activation(entry)
        (moved,) = torch.autograd.grad(active, entry, grad * up)
        return moved, grad * active.detach(), None


def norm(x: Any, weight: Any, eps: float, dtype: torch.dtype) -> Any:
    """x / root mean square(x) · weight, in `dtype`."""
    return _Norm.apply(x, weight, eps, dtype)  # type: ignore[no-untyped-call]


def gated(gate: Any, up: Any, activation: Callable[[Any], Any]) -> Any:
    """activation(gate) · up."""
    return _Gate.apply(gate, up, activation)  # type: ignore[no-untyped-call]
