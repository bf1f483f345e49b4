"""Eval packs of a test's own."""

from pathlib import Path
from typing import Any

import yaml

HEAD = {"contract_version": "slm.evaluation-pack/v2", "pack_id": "mine", "display_name": "Mine", "description": "a test"}


def gate(**fields: Any) -> dict[str, Any]:
    """A gate as it is written: accuracy of at least a half, but for what is said otherwise; None leaves a field out."""
    given = {"gate_id": "g", "metric_id": "accuracy", "operator": "gte", "threshold": 0.5} | fields
    return {name: value for name, value in given.items() if value is not None}


def pack_value(*gates: dict[str, Any], spec: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A pack for classification; `spec` and `more` change its spec and its head."""
    return HEAD | {"task_specs": [{"task_profile": "classification", "gates": list(gates)} | (spec or {})]} | more


def write_pack(folder: Path, *gates: dict[str, Any], **changed: Any) -> str:
    """The same as a file; returns its path."""
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(pack_value(*gates, **changed)))
    return str(path)
