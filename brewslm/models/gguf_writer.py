"""A merged Llama-type model as a GGUF file in F16: what llama.cpp serves and quantises.

The names of tensors and keys, and the order of rows in the query and key weights, are those of the GGUF specification and of
llama.cpp's own converter; the file is written with the official `gguf` package.
"""

from collections.abc import Iterator
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
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def check_writable(folder: Path) -> None:
    """Whether a model of this config can be written.

    Raises:
        StageError(GgufUnsupported): Its architecture, biases or rotary scaling are not those of a plain Llama.
    """
    config = read_json(folder / "config.json")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    wanted: dict[str, tuple[Any, Any]] = {
        "architectures": (config["architectures"][0], "LlamaForCausalLM"),
        "hidden_act": (config.get("hidden_act", "silu"), "silu"),
        "attention_bias": (bool(config.get("attention_bias")), False),
        "mlp_bias": (bool(config.get("mlp_bias")), False),
        "rope_type": (rope.get("rope_type", "default"), "default"),
    }
    for key, (found, needed) in wanted.items():
        if found != needed:
            raise StageError(
                GgufUnsupported(),
                "This model can't be written as GGUF",
                where="config.json",
                cause=f"{key} is {found}, not {needed}",
            )


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
    writer = gguf.GGUFWriter(target, "llama")
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
    for tensor_name, values in _tensors(folder, config):
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
    writer.add_rope_dimension_count(config.get("head_dim") or config["hidden_size"] // heads)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _tensors(folder: Path, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every tensor by its GGUF name: matrices in F16, norms in F32 as llama.cpp wants them."""
    import numpy as np
    from safetensors import safe_open

    heads = config["num_attention_heads"]
    rows = {"attn_q": heads, "attn_k": config.get("num_key_value_heads", heads)}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            for key in opened.keys():  # noqa: SIM118 - not a dict
                if key == "lm_head.weight" and config.get("tie_word_embeddings"):
                    continue  # llama.cpp reads the embedding again
                gguf_name, part = _gguf_name(key)
                values = opened.get_tensor(key).float().numpy()
                if part in rows:
                    values = _interleave(values, rows[part])
                yield gguf_name, values.astype(np.float16) if values.ndim > 1 else values


def _gguf_name(key: str) -> tuple[str, str]:
    """`model.layers.3.mlp.up_proj.weight` → (`blk.3.ffn_up.weight`, `ffn_up`)."""
    if key in _OUTER:
        return _OUTER[key], ""
    block, _, rest = key.removeprefix("model.layers.").partition(".")
    part = _BLOCK.get(rest.removesuffix(".weight"), "")
    if not (block.isdigit() and part and rest.endswith(".weight")):
        raise StageError(GgufUnsupported(), "This model can't be written as GGUF", where=key, cause="no Llama has this tensor")
    return f"blk.{block}.{part}.weight", part


def _interleave(values: Any, heads: int) -> Any:
    """Rows of a query or key matrix in llama.cpp's order: transformers rotates halves of a head, GGUF neighbouring pairs."""
    size = values.shape[0] // heads
    return values.reshape(heads, 2, size // 2, values.shape[1]).swapaxes(1, 2).reshape(values.shape)


def tensor_types(file: Path) -> dict[str, int]:
    """How many tensors of a GGUF file have each type, such as {"Q8_0": 211, "F32": 61}."""
    import gguf

    counts: dict[str, int] = {}
    for tensor in gguf.GGUFReader(file).tensors:
        counts[tensor.tensor_type.name] = counts.get(tensor.tensor_type.name, 0) + 1
    return counts
