"""The weights of an experiment: an adapter for its base, or, where every weight was trained, a whole model."""

from pathlib import Path

ADAPTER = "adapter_model.safetensors"
WHOLE = "model.safetensors"


def trained_weights(folder: Path) -> Path:
    """The file that was trained, which its experiment is known by; it may be missing."""
    whole = folder / WHOLE
    return whole if whole.is_file() else folder / ADAPTER


def is_whole(folder: Path) -> bool:
    """Whether a whole model stands there, beside which its base is not needed."""
    return (folder / WHOLE).is_file()
