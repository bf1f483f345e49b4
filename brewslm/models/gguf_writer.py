"""A merged causal model as a GGUF file in F16: what llama.cpp serves and quantises. Llama, Mistral, Qwen2 and Qwen3.

The names of tensors and keys, and the order of rows in the query and key weights, are those of the GGUF specification and of
llama.cpp's own converter; the file is written with the official `gguf` package.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.models.gguf_tokenizer import copy_tokenizer, write_tokenizer
from brewslm.reasons.refusals import GgufUnsupported
from brewslm.store.files import read_json

_OUTER = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
_BLOCK = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@dataclass(frozen=True)
class Family:
    """How llama.cpp knows a class of models.

    Attributes:
        name: Its architecture.
        pairs: It rotates neighbouring pairs of a head, where transformers rotates halves: rows of query and key are put so.
        biased: Query, key and value have biases, whatever the config says of them.
    """

    name: str
    pairs: bool
    biased: bool = False


FAMILIES = {
    "LlamaForCausalLM": Family("llama", pairs=True),
    "MistralForCausalLM": Family("llama", pairs=True),
    "Qwen2ForCausalLM": Family("qwen2", pairs=False, biased=True),
    "Qwen3ForCausalLM": Family("qwen3", pairs=False),
}


def check_writable(folder: Path) -> None:
    """Whether a model of this config can be written.

    Raises:
        StageError(GgufUnsupported): Its architecture is none of `FAMILIES`, or its biases, rotary scaling or sliding window are
            not those that llama.cpp computes for it.
    """
    config = read_json(folder / "config.json")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    found = config["architectures"][0]
    if found not in FAMILIES:
        raise _unwritable("config.json", f"architectures is {found}, not {', '.join(FAMILIES)}")
    slides = "sliding_attention" in (config.get("layer_types") or ())
    wanted: dict[str, tuple[Any, Any]] = {
        "hidden_act": (config.get("hidden_act", "silu"), "silu"),
        "attention_bias": (bool(config.get("attention_bias")) and not FAMILIES[found].biased, False),
        "mlp_bias": (bool(config.get("mlp_bias")), False),
        "rope_type": (rope.get("rope_type", "default"), "default"),
        "sliding_window": (config.get("sliding_window") if slides or found.startswith("Mistral") else None, None),
    }
    for key, (said, needed) in wanted.items():
        if said != needed:
            raise _unwritable("config.json", f"{key} is {said}, not {needed}")


def _unwritable(where: str, cause: str) -> StageError:
    return StageError(GgufUnsupported(), "This model can't be written as GGUF", where=where, cause=cause)


def write_gguf(folder: Path, target: Path, *, name: str, end_token: int, tokenizer_from: Path | None = None) -> None:
    """Write `folder` (config.json, safetensors, tokenizer) as one GGUF file in F16.

    Args:
        name: The model's name inside the file.
        end_token: The id that ends an answer; llama.cpp stops at it.
        tokenizer_from: The base's own GGUF file, whose tokenizer is copied as it stands; else tokenizer.json is converted.

    Raises:
        StageError(GgufUnsupported): The model or its tokenizer has something that can't be written.
    """
    check_writable(folder)
    import gguf

    config = read_json(folder / "config.json")
    family = FAMILIES[config["architectures"][0]]
    writer = gguf.GGUFWriter(target, family.name)
    writer.add_name(name)
    _add_config(writer, config)
    if tokenizer_from is not None:
        copy_tokenizer(writer, tokenizer_from, config["vocab_size"])
    else:
        write_tokenizer(writer, folder, config["vocab_size"])
    writer.add_eot_token_id(end_token)
    template = folder / "chat_template.jinja"
    if template.exists():
        writer.add_chat_template(template.read_text())
    for tensor_name, values in _tensors(folder, config, family):
        writer.add_tensor(tensor_name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_config(writer: Any, config: dict[str, Any]) -> None:
    import gguf

    heads = config["num_attention_heads"]
    rope = config.get("rope_parameters") or {}
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads", heads))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(rope.get("rope_theta") or config.get("rope_theta", 10000.0))
    head = config.get("head_dim") or config["hidden_size"] // heads
    writer.add_rope_dimension_count(head)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _tensors(folder: Path, config: dict[str, Any], family: Family) -> Iterator[tuple[str, Any]]:
    """Every tensor by its GGUF name: matrices in F16, norms and biases in F32 as llama.cpp wants them."""
    import numpy as np
    from safetensors import safe_open

    heads = config["num_attention_heads"]
    rows = {"attn_q": heads, "attn_k": config.get("num_key_value_heads", heads)}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            for key in opened.keys():  # noqa: SIM118 - not a dict
                if key == "lm_head.weight" and config.get("tie_word_embeddings"):
                    continue  # llama.cpp reads the embedding again
                stored, part = gguf_name(key)
                values = opened.get_tensor(key).float().numpy()
                if part in rows and family.pairs:
                    values = _interleave(values, rows[part])
                yield stored, values.astype(np.float16) if values.ndim > 1 else values


def gguf_name(key: str) -> tuple[str, str]:
    """`model.layers.3.mlp.up_proj.weight` → (`blk.3.ffn_up.weight`, `ffn_up`)."""
    if key in _OUTER:
        return _OUTER[key], ""
    block, _, rest = key.removeprefix("model.layers.").partition(".")
    stem, _, kind = rest.rpartition(".")
    part = _BLOCK.get(stem, "")
    if not (block.isdigit() and part and kind in ("weight", "bias")):
        raise _unwritable(key, "none of these models has this tensor")
    return f"blk.{block}.{part}.{kind}", part


def _interleave(values: Any, heads: int) -> Any:
    """Rows of a query or key matrix in llama.cpp's order: transformers rotates halves of a head, GGUF neighbouring pairs."""
    size = values.shape[0] // heads
    return values.reshape(heads, 2, size // 2, values.shape[1]).swapaxes(1, 2).reshape(values.shape)


def tensor_types(file: Path) -> dict[str, int]:
    """How many tensors of a GGUF file have each type, such as {"Q8_0": 211, "F32": 61}."""
    counts: dict[str, int] = {}
    for tensor in tensor_table(file).values():
        counts[tensor["type"]] = counts.get(tensor["type"], 0) + 1
    return counts


def tensor_table(file: Path) -> dict[str, dict[str, Any]]:
    """Every tensor of a GGUF file by name: its type, its shape (columns first, as GGUF has it) and its bytes."""
    import gguf

    return {
        tensor.name: {"type": tensor.tensor_type.name, "shape": [int(one) for one in tensor.shape], "bytes": int(tensor.n_bytes)}
        for tensor in gguf.GGUFReader(file).tensors
    }
