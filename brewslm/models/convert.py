"""`python -m brewslm.models.convert <file.gguf> <folder>`: a GGUF file as config, fp32 safetensors and tokenizer."""

import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Convert."""
    gguf, folder = Path(sys.argv[1]), Path(sys.argv[2])
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    # Without dequantize the weights stay packed: slow, and not to be saved.
    model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True))
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(**source)
    restore_pre_tokenizer(tokenizer, pre_tokenizer_of(gguf))
    tokenizer.save_pretrained(folder)


def pre_tokenizer_of(gguf: Path) -> str:
    """How the file's own runtime splits text before its merges, such as "smollm"; "" where it says nothing."""
    from gguf import GGUFReader

    field = GGUFReader(gguf).get_field("tokenizer.ggml.pre")
    return str(field.contents()) if field else ""


def restore_pre_tokenizer(tokenizer: Any, pre: str) -> None:
    """Split text as llama.cpp does for this file.

    transformers reads a GGUF's vocabulary and merges, but not this: with "smollm" it would join digits that the model was
    trained, and is served, to see one by one.

    Raises:
        ValueError: Its way of splitting is not one that is known here, so that training and serving would see other ids.
    """
    from tokenizers import pre_tokenizers

    whole = pre_tokenizers.ByteLevel(add_prefix_space=False)
    known = {
        "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), whole]),
        "gpt-2": whole,
        "default": whole,
    }
    if pre not in known:
        raise ValueError(f"its pre-tokenizer {pre or '(none named)'} is not known; known: {', '.join(known)}")
    tokenizer.backend_tokenizer.pre_tokenizer = known[pre]


if __name__ == "__main__":
    main()
