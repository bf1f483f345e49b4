"""Weights and tokenizers, from a folder into memory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from brewslm.models.template_guard import guarded
from brewslm.models.trained import is_whole
from brewslm.settings import settings

Precision = Literal["fp32", "bf16"]


def thread_count() -> int:
    """How many cores the settings allow."""
    return settings().threads or os.cpu_count() or 1


def yield_when_waiting() -> None:
    """Before torch or llama.cpp is first loaded: their threads shall sleep at a barrier after a short while.

    Where other work shares the cores, spinning is what costs: merging an adapter took 13 s instead of 1, a prompt twice its time.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")


def set_threads(count: int = 0) -> int:
    """Compute with so many threads, or with the cores that the settings allow; returns how many."""
    import torch

    threads = count or thread_count()
    torch.set_num_threads(threads)
    return threads


def bf16_is_fast() -> bool:
    """Whether this CPU multiplies bf16 natively; elsewhere emulation makes it slower than fp32."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


@contextmanager
def multiplying_in(dtype: Any) -> Iterator[None]:
    """Let products of fp32 matrices round their inputs to `dtype` and nothing else: sums and results stay fp32.

    Autocast would round the results too, and with an adapter that costs accuracy: see models/kernels/linear.py.
    """
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium" if dtype == torch.bfloat16 else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder, its chat template guarded."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = guarded(tokenizer)
    return tokenizer


def load_model(folder: Path, adapter: Path | None = None, precision: Precision = "bf16", *, merge: bool = True) -> Any:
    """A causal language model in eval mode.

    Args:
        folder: config.json and safetensors.
        adapter: An experiment's weights: a PEFT adapter's folder to put on it, or a whole model to take in its place.
        precision: Of the weights in memory. The adapter is merged in fp32 first, whatever this says.
        merge: False keeps the adapter beside the base (for comparing with the merged weights); then only fp32 is exact. A
            whole model has nothing to merge.
    """
    import torch
    from transformers import AutoModelForCausalLM

    whole = adapter is not None and is_whole(adapter)
    source = adapter if whole else folder
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, attn_implementation="sdpa")
    if adapter is not None and not whole:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter)
        if merge:
            model = model.merge_and_unload()
    if precision == "bf16" and bf16_is_fast():
        model = model.to(torch.bfloat16)
    return model.eval()
