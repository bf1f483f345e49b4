"""How much there is to compute, and how fast this machine does it."""

import time
from collections.abc import Sequence
from functools import cache

from brewslm.models.memory import Method, PassShape
from brewslm.models.shape import ModelShape

GEMM_TOKENS = 512
GEMM_RUNS = 5


def flops(shape: ModelShape, method: Method, passes: Sequence[PassShape], *, backward: bool = True) -> float:
    """Floating point operations of one forward and backward over these passes, or of a forward alone.

    A product of a token with a matrix is two operations a weight. Backward it is done once more for what is below (in the layers
    that are trained), and again for a weight that is trained itself.
    """
    trained = method.trained_layers(shape)
    times = shape.layers + (trained * (2 if method.name == "full" else 1) if backward else 0)
    tokens, supervised = sum(one.tokens for one in passes), sum(one.supervised for one in passes)
    seen = sum((one.tokens - one.prefix) * (one.prefix + one.longest) for one in passes)
    head = 2 * shape.vocabulary * shape.hidden * supervised * ((3 if method.name == "full" else 2) if backward else 1)
    return 2.0 * times * (tokens * shape.layer_weights + 2 * seen * shape.queries) + head


@cache
def gemm_flops(hidden: int, inner: int, bf16: bool, threads: int) -> float:
    """Operations a second of this processor in a product of the model's own sizes: the best of a few, measured now.

    Args:
        threads: How many are in use: another number is another measurement.
    """
    import torch

    kind = torch.bfloat16 if bf16 else torch.float32
    tokens, matrix = torch.randn(GEMM_TOKENS, hidden, dtype=kind), torch.randn(inner, hidden, dtype=kind)
    best = 0.0
    for _ in range(GEMM_RUNS):
        began = time.perf_counter()
        torch.nn.functional.linear(tokens, matrix)
        best = max(best, 2.0 * GEMM_TOKENS * hidden * inner / max(1e-9, time.perf_counter() - began))
    return best
