"""AWQ and GPTQ by llmcompressor. It runs in that toolchain, knows nothing of BrewSLM, and opens no file but those it is told.

`python quantise.py request.json`, which holds: model and output (folders), method ("awq" or "gptq"), group_size, threads, and
rows, the token ids that it is calibrated on.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import GPTQModifier, QuantizationModifier
from llmcompressor.modifiers.transform.awq import AWQModifier
from llmcompressor.pipelines.cache import IntermediatesCache
from torch.utils.data import DataLoader
from transformers import AutoModelForCausalLM, AutoTokenizer

NOT_QUANTISED = ["lm_head"]


def main() -> None:
    """Quantise, and write the model."""
    request = json.loads(Path(sys.argv[1]).read_text())
    torch.manual_seed(0)
    if request["threads"]:
        torch.set_num_threads(request["threads"])
    if not torch.accelerator.is_available():  # its AWQ pins memory for an accelerator, and fails where there is none
        IntermediatesCache.pin_memory = lambda self, batch_index, input_names=None: None
    model = AutoModelForCausalLM.from_pretrained(request["model"], dtype=torch.bfloat16)
    rows = [torch.tensor([ids]) for ids in request["rows"]]
    batches: Any = [{"input_ids": ids, "attention_mask": torch.ones_like(ids)} for ids in rows]
    oneshot(
        model=model, tokenizer=AutoTokenizer.from_pretrained(request["model"]), dataset=DataLoader(batches, batch_size=None),
        recipe=recipe(request["method"], request["group_size"]), num_calibration_samples=len(rows),
        max_seq_length=max(ids.shape[1] for ids in rows), shuffle_calibration_samples=False,
    )  # fmt: skip
    model.save_pretrained(request["output"], save_compressed=True)


def recipe(method: str, group_size: int) -> list[Any]:
    """Weights in 4 bits by groups: GPTQ (arXiv 2210.17323) around zero, AWQ (arXiv 2306.00978) with a zero point of their own."""
    weights = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": group_size, "symmetric": method == "gptq"}
    groups = {"group_0": {"targets": ["Linear"], "weights": weights}}
    if method == "gptq":
        return [GPTQModifier(config_groups=groups, ignore=NOT_QUANTISED)]
    return [AWQModifier(), QuantizationModifier(config_groups=groups, ignore=NOT_QUANTISED)]


if __name__ == "__main__":
    main()
