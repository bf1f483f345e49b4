"""Tiny models of the families that teams bring, made on the spot: seeded random weights, and the family's own chat format."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chat_formats import CHATML, GEMMA, LLAMA_3, MISTRAL, QWEN, ChatFormat, write_format


@dataclass(frozen=True)
class Family:
    """A family of models.

    Attributes:
        model: Its class in transformers; `config` is that of its config.
        more: What of its config is not as in every other.
    """

    name: str
    model: str
    config: str
    form: ChatFormat
    more: dict[str, Any] = field(default_factory=dict)


FAMILIES = (
    Family("llama", "LlamaForCausalLM", "LlamaConfig", LLAMA_3, {"tie_word_embeddings": True}),
    Family("smollm", "LlamaForCausalLM", "LlamaConfig", CHATML, {"tie_word_embeddings": True}),
    Family("mistral", "MistralForCausalLM", "MistralConfig", MISTRAL, {"sliding_window": None}),
    Family("qwen2", "Qwen2ForCausalLM", "Qwen2Config", QWEN, {"tie_word_embeddings": True}),
    Family("qwen3", "Qwen3ForCausalLM", "Qwen3Config", QWEN, {"head_dim": 16, "tie_word_embeddings": True}),
    Family(
        "gemma3", "Gemma3ForCausalLM", "Gemma3TextConfig", GEMMA,
        {"head_dim": 16, "query_pre_attn_scalar": 20, "sliding_window": 256,
         "layer_types": ["sliding_attention", "full_attention"]},
    ),
)  # fmt: skip


def make_family(folder: Path, family: Family, **more: Any) -> Path:
    """Write config, safetensors and tokenizer: two layers of 64, grouped queries.

    Args:
        more: Of the config, over what the family says.
    """
    import torch
    import transformers

    tokens = write_format(folder, family.form)
    token = {name: index for index, name in enumerate(family.form.special)}
    settings = {
        "vocab_size": tokens, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 512, "initializer_range": 0.1,
        "bos_token_id": token.get(family.form.bos), "eos_token_id": token[family.form.eos],
        "pad_token_id": token[family.form.pad], **family.more, **more,
    }  # fmt: skip
    torch.manual_seed(0)
    model = getattr(transformers, family.model)(getattr(transformers, family.config)(**settings))
    with torch.no_grad():  # norms that start at their neutral value, and biases at zero, would hide that they are left out
        for name, weight in model.named_parameters():
            if weight.ndim == 1:
                weight.add_(torch.randn_like(weight) * 0.2)
            elif "embed_tokens" in name:
                weight[token[family.form.pad]] = torch.randn(weight.shape[1]) * 0.1
    model.save_pretrained(folder)
    return folder
