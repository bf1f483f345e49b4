"""Put the kernels into a model, where it is built as they expect; whatever is built otherwise stays as it is."""

from functools import partial
from typing import Any

import torch

from brewslm.models.kernels.elementwise import gated, norm, turned
from brewslm.models.kernels.linear import SharedInput
from brewslm.models.packed_attention import attend


def fuse(model: Any, dtype: torch.dtype) -> None:
    """Let the decoder layers of a transformers model, with PEFT's LoRA in it or not, compute with these kernels.

    The base is frozen by it, its linear weights are held in `dtype`, and from then on its forward wants `rows` of a pack.

    Args:
        model: The causal language model inside PEFT's wrapper.
        dtype: bf16 where the machine multiplies it fast, otherwise fp32.
    """
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        share([attention.q_proj, attention.k_proj, attention.v_proj], dtype)
        share([attention.o_proj], dtype)
        attention.forward = partial(_attention, attention)
        share([mlp.gate_proj, mlp.up_proj], dtype)
        share([mlp.down_proj], dtype)
        mlp.forward = partial(_mlp, mlp)
    for module in model.model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            _replace_norm(module, dtype)


def share(layers: list[Any], dtype: torch.dtype) -> None:
    """Compute layers that read the same input together."""
    shared = SharedInput(layers, dtype)
    for index, layer in enumerate(layers):
        layer.forward = partial(shared.part, index)


def _attention(
    attention: Any, hidden_states: Any, position_embeddings: tuple[Any, Any], attention_mask: Any = None, **more: Any
) -> tuple[Any, None]:
    """As every family has it: project, norm heads where there is one for it, turn by position, attend, project."""
    shape = (*hidden_states.shape[:-1], -1, attention.head_dim)
    query, key, value = (one(hidden_states).view(shape) for one in (attention.q_proj, attention.k_proj, attention.v_proj))
    if hasattr(attention, "q_norm"):
        query, key = attention.q_norm(query), attention.k_norm(key)
    cos, sin = (each.unsqueeze(2) for each in position_embeddings)
    query, key, value = (one.transpose(1, 2) for one in (turned(query, cos, sin), turned(key, cos, sin), value))
    window = getattr(attention, "sliding_window", getattr(attention.config, "sliding_window", None))
    out, _ = attend(
        attention, query, key, value, attention_mask, scaling=attention.scaling, sliding_window=window, **more
    )  # fmt: skip
    return attention.o_proj(out.flatten(2)), None


def _mlp(mlp: Any, x: Any) -> Any:
    return mlp.down_proj(gated(mlp.gate_proj(x), mlp.up_proj(x), mlp.act_fn))


def _replace_norm(module: Any, dtype: torch.dtype) -> None:
    """Families write the weight in two ways (w and 1 + w): it is read off what the module makes of a vector of ones."""
    eps = float(getattr(module, "variance_epsilon", getattr(module, "eps", 0.0)))
    width = module.weight.shape[-1]
    with torch.no_grad():
        ones, probe = torch.ones(width), torch.linspace(-2, 3, width)
        weight = module(ones) * (1 + eps) ** 0.5
        same = torch.allclose(module(probe), norm(probe, weight, eps, torch.float32), rtol=1e-5, atol=1e-6)
    if same:
        module.forward = lambda x: norm(x, weight, eps, dtype)
