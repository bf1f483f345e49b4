"""A model's folder, held against what must be in it before anything is loaded: no weight is read for it."""

import json
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.models.architectures.names import NAMES, architecture_of
from brewslm.reasons.refusals import BaseModelIncomplete, BaseModelNotFound, BaseModelWrongKind

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")
INDEX = "model.safetensors.index.json"
_SIZE_BYTES = 8
_LONGEST_HEADER = 100_000_000
"""Bytes; what the format itself allows."""


def read_config(locator: str, folder: Path) -> dict[str, Any]:
    """The folder's config.json, of a model whose architecture we know.

    Raises:
        StageError(BaseModelIncomplete): It can't be read.
        StageError(BaseModelWrongKind): It is of another architecture, or one whose code would have to come with it.
    """
    config = _json(locator, folder / "config.json")
    named = config.get("architectures")
    if not isinstance(named, list) or not named or not isinstance(named[0], str):
        raise StageError(BaseModelIncomplete(), where=locator, cause="its config.json names no architecture")
    if "auto_map" in config and not _is_known(config):
        raise StageError(BaseModelWrongKind(), where=locator, cause=f"{named[0]} comes with code of its own, which is never run")
    if architecture_of(config) is None:
        cause = f"{named[0]} is of none of the architectures that are trained here: {', '.join(NAMES)}"
        raise StageError(BaseModelWrongKind(), where=locator, cause=cause)
    return config


def check_files(locator: str, folder: Path) -> list[Path]:
    """The safetensors files, each whole, and a tokenizer beside them.

    Raises:
        StageError(BaseModelNotFound): It has no safetensors file; pickle files are never read.
        StageError(BaseModelIncomplete): A shard or the tokenizer is missing, or a file is cut off.
    """
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        pickles = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        cause = "its weights are pickle files, which can run code and are never read" if pickles else "it has no safetensors file"
        raise StageError(BaseModelNotFound(), where=locator, cause=cause)
    if (folder / INDEX).is_file():
        for name in sorted(set(_json(locator, folder / INDEX).get("weight_map", {}).values())):
            if not (folder / name).is_file():
                raise StageError(BaseModelIncomplete(), where=locator, cause=f"its index names {name}, which is not there")
    for file in weights:
        _check_whole(locator, file)
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise StageError(BaseModelIncomplete(), where=locator, cause=f"it has no tokenizer: none of {', '.join(TOKENIZER_FILES)}")
    return weights


def _check_whole(locator: str, file: Path) -> None:
    """The header says where the last tensor ends; the file must end there (the format of safetensors)."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(_SIZE_BYTES), "little")
        header = opened.read(min(length, _LONGEST_HEADER))
    try:
        tensors = json.loads(header)
        ends = [entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise StageError(BaseModelIncomplete(), where=locator, cause=f"{file.name} has no header of safetensors") from None
    whole = _SIZE_BYTES + length + max(ends, default=0)
    if size != whole:
        raise StageError(BaseModelIncomplete(), where=locator, cause=f"{file.name} has {size:,} bytes of {whole:,}")


def _json(locator: str, file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StageError(BaseModelIncomplete(), where=locator, cause=f"{file.name} can't be read: {error}"[:200]) from None
    if not isinstance(value, dict):
        raise StageError(BaseModelIncomplete(), where=locator, cause=f"{file.name} holds no object")
    return value


def _is_known(config: dict[str, Any]) -> bool:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return config.get("model_type") in CONFIG_MAPPING_NAMES
