"""Models whose matrices are quantised to 4 bits in groups (AWQ, GPTQ): which can be, and what each tensor became."""

from pathlib import Path
from typing import Any

from brewslm.store.files import read_json

GROUP_SIZES = (128, 64, 32)
"""Weights of a row that share a scale: the largest that divides every width is taken."""
KERNEL = 32
"""vLLM's kernel for processors wants every matrix's two sizes to be multiples of this."""
PACKED = ".weight_packed"


def _widths(folder: Path) -> tuple[set[int], set[int]]:
    """What a layer's matrices read, and what they write."""
    config = read_json(folder / "config.json")
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    inner = int(config.get("intermediate_size", hidden))
    size = int(config.get("head_dim") or hidden // heads)
    keys = int(config.get("num_key_value_heads") or heads) * size
    return {hidden, inner, heads * size}, {hidden, inner, heads * size, keys}


def group_size(folder: Path) -> int | None:
    """The group size for a model of this config; None where none divides its widths."""
    reads, _ = _widths(folder)
    return next((size for size in GROUP_SIZES if all(width % size == 0 for width in reads)), None)


def unquantisable(folder: Path) -> str | None:
    """Why a model can't be quantised to 4 bits and run; None where nothing speaks against it."""
    reads, writes = _widths(folder)
    if group_size(folder) is None:
        return f"no group of {', '.join(map(str, GROUP_SIZES))} weights divides its widths {', '.join(map(str, sorted(reads)))}"
    odd = sorted(width for width in reads | writes if width % KERNEL)
    return f"vLLM wants widths that {KERNEL} divides, and it has {', '.join(map(str, odd))}" if odd else None


def tensor_types(file: Path) -> dict[str, str]:
    """What each tensor of a model became: its name → "INT4", or the type that it was left in.

    Args:
        file: Safetensors in the format of compressed-tensors, where a quantised matrix is packed words, scales and zero points.
    """
    from safetensors import safe_open

    found: dict[str, str] = {}
    with safe_open(file, framework="np") as opened:
        for key in opened.keys():  # noqa: SIM118 - not a dict
            if key.endswith(PACKED):
                found[key.removesuffix("_packed")] = "INT4"
            elif key.endswith((".weight", ".bias")):
                found[key] = opened.get_slice(key).get_dtype()
    return dict(sorted(found.items()))


def counted(types: dict[str, str]) -> dict[str, int]:
    """How many tensors have each type."""
    kinds: dict[str, Any] = dict.fromkeys(sorted(set(types.values())), 0)
    for kind in types.values():
        kinds[kind] += 1
    return kinds
