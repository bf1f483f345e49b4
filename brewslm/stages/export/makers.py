"""How each format is made and checked: one function for each `maker` of the table in `models/formats.py`."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.models.formats import MERGED, Format
from brewslm.models.gguf_model import quantise
from brewslm.models.gguf_writer import write_gguf
from brewslm.models.trained import ADAPTER, WHOLE
from brewslm.reasons.export import ExportQuantizationFailed
from brewslm.stages.export.job import Artifact
from brewslm.stages.export.making import Making
from brewslm.store.files import read_json, write_json

Maker = Callable[[Making, Format], Artifact]
"""Fills `making.folder / format.name`, which stands there empty, checks it, and describes it."""


def make_merged(making: Making, wanted: Format) -> Artifact:
    """The adapter merged into its base, reloaded from disk and compared."""
    folder = making.folder / wanted.name
    write_merged(making.trained(), making.tokenizer, folder, making.end)
    making.smoke.check_merged(folder)
    return making.describe(wanted.name, WHOLE, making.smoke.top1_of(MERGED))


def make_weights(making: Making, wanted: Format) -> Artifact:
    """The merged weights and their config by themselves: the same files as in `hf`, linked, not copied."""
    for name in (WHOLE, "config.json"):
        os.link(making.folder / MERGED / name, making.folder / wanted.name / name)
    return making.describe(wanted.name, WHOLE, making.smoke.top1_of(wanted.name))


def make_adapter(making: Making, wanted: Format) -> Artifact:
    """The adapter's folder as training left it."""
    shutil.copytree(making.job.adapter, making.folder / wanted.name, dirs_exist_ok=True)
    return making.describe(wanted.name, ADAPTER, None)


def make_gguf(making: Making, wanted: Format) -> Artifact:
    """The F16 file written from the merged weights, or a variant quantised from it; run with llama.cpp."""
    assert wanted.quantization is not None
    file = gguf_file(making.folder, wanted.quantization)
    job = making.job
    if wanted.quantization == "f16":
        name = f"{job.base.name}-{job.experiment_id}"
        write_gguf(making.folder / MERGED, file, name=name, end_token=making.end, tokenizer_from=job.base.gguf)
    else:
        write_quantised(gguf_file(making.folder, "f16"), file, wanted.name, job.experiment_id)
    making.smoke.check_gguf(file, wanted.name)
    return making.describe(wanted.name, file.name, making.smoke.top1_of(wanted.name))


MAKERS: dict[str, Maker] = {
    "merged": make_merged,
    "weights": make_weights,
    "adapter": make_adapter,
    "gguf": make_gguf,
}


def gguf_file(bundle: Path, variant: str) -> Path:
    """Where a bundle has the GGUF file of a variant, such as "q8_0"."""
    return bundle / f"gguf-{variant}" / f"model-{variant}.gguf"


def write_merged(model: Any, tokenizer: Any, folder: Path, end: int) -> None:
    """Merge the adapter into the base, in fp32, and write a folder that transformers and vLLM load.

    A whole model is its own merge.
    """
    merged = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    merged.generation_config.eos_token_id = end
    merged.generation_config.do_sample = False
    merged.save_pretrained(folder)
    write_tokenizer_folder(tokenizer, folder, merged.config.max_position_embeddings)


def write_tokenizer_folder(tokenizer: Any, folder: Path, context_length: int) -> None:
    """The tokenizer under a class name that transformers 4 and vLLM know too, without notes about this machine."""
    tokenizer.save_pretrained(folder)
    settings = read_json(folder / "tokenizer_config.json")
    for key in ("backend", "is_local", "local_files_only"):
        settings.pop(key, None)
    write_json(
        folder / "tokenizer_config.json",
        settings | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": context_length},
    )


def write_quantised(source: Path, target: Path, variant: str, experiment_id: str) -> None:
    """Quantise the F16 file.

    Raises:
        StageError(ExportQuantizationFailed): llama.cpp could not.
    """
    if not quantise(source, target, variant.removeprefix("gguf-")):
        cause = "llama.cpp could not quantise the F16 file; its words are in the run's log.txt"
        reason = ExportQuantizationFailed(experiment_id=experiment_id, format=variant, error=cause)
        raise StageError(reason, f"{variant} could not be made", cause=cause)
