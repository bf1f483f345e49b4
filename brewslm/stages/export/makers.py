"""How each format is made and checked: one function for each `maker` of the table in `models/formats.py`."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.models.formats import MERGED, Format
from brewslm.models.gguf_model import WITH_IMPORTANCE, quantise
from brewslm.models.gguf_writer import tensor_table, write_gguf
from brewslm.models.importance import Importance
from brewslm.models.trained import ADAPTER, WHOLE
from brewslm.reasons.export import ExportQuantizationFailed
from brewslm.stages.export.job import Artifact
from brewslm.stages.export.making import Making
from brewslm.stages.export.quantised import make_quantised
from brewslm.stages.export.vllm import make_vllm
from brewslm.store.files import read_json, write_json

ROOM = 2**20
"""Bytes. llama.cpp does not say why it could not write; with less than this left, it is told as a full disk."""
Maker = Callable[[Making, Format], Artifact]
"""Fills `making.folder / format.name`, which stands there empty, checks it, and describes it."""


def make_merged(making: Making, wanted: Format) -> Artifact:
    """The adapter merged into its base, reloaded from disk and compared."""
    folder = making.folder / wanted.name
    write_merged(making.trained(), making.tokenizer, folder, making.end)
    making.smoke.check_merged(folder)
    return making.describe(wanted.name, WHOLE)


def make_weights(making: Making, wanted: Format) -> Artifact:
    """The merged weights and their config by themselves: the same files as in `hf`, linked, not copied."""
    for name in (WHOLE, "config.json"):
        os.link(making.folder / MERGED / name, making.folder / wanted.name / name)
    return making.describe(wanted.name, WHOLE)


def make_adapter(making: Making, wanted: Format) -> Artifact:
    """The adapter's folder as training left it."""
    shutil.copytree(making.job.adapter, making.folder / wanted.name, dirs_exist_ok=True)
    return making.describe(wanted.name, ADAPTER)


def make_gguf(making: Making, wanted: Format) -> Artifact:
    """The F16 file written from the merged weights, or a variant quantised from it; run with llama.cpp."""
    assert wanted.quantization is not None
    file, job = gguf_file(making.folder, wanted.quantization), making.job
    importance = None
    if wanted.quantization == "f16":
        name = f"{job.base.name}-{job.experiment_id}"
        write_gguf(making.folder / MERGED, file, name=name, end_token=making.end, tokenizer_from=job.base.gguf)
    else:
        importance = quantised(making, gguf_file(making.folder, "f16"), file, wanted)
    making.smoke.check_gguf(file, wanted.name)
    write_json(file.parent / "tensors.json", tensor_table(file))
    made = making.describe(wanted.name, file.name)
    return made.model_copy(update={"importance": importance})


def quantised(making: Making, source: Path, target: Path, wanted: Format) -> dict[str, Any] | None:
    """Quantise without an importance matrix and with one, and keep the file that is nearer to the trained model.

    Returns:
        What was measured, in nats a token on rows that neither were calibrated on nor are eval rows; None where the variant's
        types use no such matrix.
    """
    variant, experiment = wanted.name, making.job.experiment_id
    write_quantised(source, target, variant, experiment)
    if wanted.quantization not in WITH_IMPORTANCE:
        return None
    calibration = making.calibration()
    if calibration.values is None:
        return {"used": False, "why": calibration.why}
    other = target.with_name(f"{target.stem}.importance.gguf")
    write_quantised(source, other, variant, experiment, calibration.values)
    without, with_it = calibration.divergence(target), calibration.divergence(other)
    used = with_it < without
    if used:
        other.replace(target)
    else:
        other.unlink()
    return {
        "used": used, "why": "it is nearer to the trained model" if used else "it is not nearer to the trained model",
        "kl_with": with_it, "kl_without": without, "rows": len(calibration.row_ids),
        "held_out_rows": len(calibration.held_out_ids), "tokens": calibration.tokens,
    }  # fmt: skip


MAKERS: dict[str, Maker] = {
    "merged": make_merged,
    "weights": make_weights,
    "adapter": make_adapter,
    "gguf": make_gguf,
    "vllm": make_vllm,
    "quantised": make_quantised,
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


def write_quantised(source: Path, target: Path, variant: str, experiment_id: str, importance: Importance | None = None) -> None:
    """Quantise the F16 file.

    Args:
        importance: What each column of a matrix is worth (`models/importance.py`); None: each the same.

    Raises:
        StageError(ExportQuantizationFailed): llama.cpp could not.
        OSError: The disk is full.
    """
    if not quantise(source, target, variant.removeprefix("gguf-"), importance):
        if shutil.disk_usage(target.parent).free < ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target.name))
        cause = "llama.cpp could not quantise the F16 file; its words are in the run's log.txt"
        reason = ExportQuantizationFailed(experiment_id=experiment_id, format=variant, error=cause)
        raise StageError(reason, f"{variant} could not be made", cause=cause)
