"""Linear layers with LoRA, those that read the same input together, as one matrix product forward and one backward.

With the adapter beside the base, y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ is usually three products and a sum. In bf16 that sum is rounded twice:
what the base gave is rounded first, and an update smaller than half its last digit is then lost, always in the same direction.
(Stock trainers' loss is 6 % above that of fp32 after 15 steps: bench/results/train_throughput.json.) Here x stands beside
h = x·Aᵀ and W beside s·B, so that one product sums both in fp32 and rounds once: [x | h]·[W | s·B]ᵀ. Backward likewise:
[dy | dh]·[W ; A], where dh = dy·(s·B).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch


class Adapter(NamedTuple):
    """What PEFT keeps of one layer's LoRA: A (rank, in), B (out, rank), and the scale of their product."""

    a: Any
    b: Any
    scale: float


class SharedInput:
    """Linear layers of one input.

    Args:
        layers: torch Linear layers, or PEFT's LoRA around them. Their base weights become views of one matrix in `dtype`.
        dtype: Of the products' inputs and outputs; sums are in fp32.
    """

    def __init__(self, layers: Sequence[Any], dtype: torch.dtype) -> None:
        bases = [getattr(layer, "base_layer", layer) for layer in layers]
        self.adapters = [_adapter_of(layer) for layer in layers]
        self.outs = [base.out_features for base in bases]
        self.ranks = [adapter.a.shape[0] if adapter else 0 for adapter in self.adapters]
        self.width, self.out, self.rank = bases[0].in_features, sum(self.outs), sum(self.ranks)
        self.dtype = dtype
        self.matrix = torch.zeros(self.out + self.rank, self.width + self.rank, dtype=dtype, device=bases[0].weight.device)
        biases = [base.bias for base in bases]
        self.bias = None if biases[0] is None else torch.cat(biases).detach().to(dtype)
        for base, start in zip(bases, _starts(self.outs), strict=True):
            view = self.matrix[start : start + base.out_features, : self.width]
            view.copy_(base.weight.detach())
            base.weight = torch.nn.Parameter(view, requires_grad=False)
        self._input: Any = None
        self._waiting: list[Any] = []

    def __call__(self, x: Any) -> tuple[Any, ...]:
        """What each layer makes of x (…, width)."""
        weights = [weight for adapter in self.adapters if adapter for weight in (adapter.a, adapter.b)]
        flat = x.reshape(-1, self.width)
        return tuple(one.view(*x.shape[:-1], -1) for one in _Product.apply(flat, self, *weights))  # type: ignore[no-untyped-call]

    def part(self, index: int, x: Any) -> Any:
        """One layer's share. The model asks layer by layer: the first asks for all, and the others find theirs."""
        if x is not self._input:
            self._input, self._waiting = x, list(self(x))
        out, self._waiting[index] = self._waiting[index], None
        if all(one is None for one in self._waiting):
            self._input = None
        return out

    def take_adapters(self) -> None:
        """Copy A and s·B, which the optimizer has moved, to their places beside the base."""
        row, column = self.out, self.width
        for adapter, rank, start, out in zip(self.adapters, self.ranks, _starts(self.outs), self.outs, strict=True):
            if adapter:
                self.matrix[row : row + rank, : self.width].copy_(adapter.a.detach())
                self.matrix[start : start + out, column : column + rank].copy_(adapter.b.detach() * adapter.scale)
                row, column = row + rank, column + rank


class _Product(torch.autograd.Function):
    """x (tokens, width) → one (tokens, out) for each layer."""

    @staticmethod
    def forward(ctx: Any, x: Any, shared: SharedInput, *weights: Any) -> tuple[Any, ...]:
        """One product with the base and all adapters."""
        wide = x.to(shared.dtype)
        if shared.rank:
            shared.take_adapters()
            wide = x.new_empty(len(x), shared.width + shared.rank, dtype=shared.dtype)
            wide[:, : shared.width].copy_(x)
            wide[:, shared.width :].copy_(wide[:, : shared.width] @ shared.matrix[shared.out :, : shared.width].t())
        ctx.shared, ctx.input_dtype = shared, x.dtype
        ctx.save_for_backward(*([wide] if shared.rank else []))
        return tuple(torch.nn.functional.linear(wide, shared.matrix[: shared.out], shared.bias).split(shared.outs, 1))  # type: ignore[no-untyped-call]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        """Gradients of x, and of each A and B in fp32."""
        shared = ctx.shared
        wide_grad = grads[0].new_empty(len(grads[0]), shared.out + shared.rank, dtype=shared.dtype)
        for grad, start, out in zip(grads, _starts(shared.outs), shared.outs, strict=True):
            wide_grad[:, start : start + out].copy_(grad)
        moved = wide_grad[:, : shared.out] @ shared.matrix[: shared.out, shared.width :]
        wide_grad[:, shared.out :].copy_(moved)
        dx = wide_grad @ shared.matrix[:, : shared.width] if ctx.needs_input_grad[0] else None
        weights: list[Any] = []
        if shared.rank:
            (wide,) = ctx.saved_tensors
            da = moved.t() @ wide[:, : shared.width]
            at = 0
            for adapter, rank, start, out in zip(shared.adapters, shared.ranks, _starts(shared.outs), shared.outs, strict=True):
                if adapter:
                    column = shared.width + at
                    db = wide_grad[:, start : start + out].t() @ wide[:, column : column + rank]
                    weights += [da[at : at + rank].float(), db.float() * adapter.scale]
                    at += rank
        return (dx if dx is None else dx.to(ctx.input_dtype), None, *weights)


def _adapter_of(layer: Any) -> Adapter | None:
    if not hasattr(layer, "lora_A"):
        return None
    (name,) = layer.lora_A
    return Adapter(layer.lora_A[name].weight, layer.lora_B[name].weight, float(layer.scaling[name]))


def _starts(sizes: Sequence[int]) -> list[int]:
    return [sum(sizes[:at]) for at in range(len(sizes))]
