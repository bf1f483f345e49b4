"""Checkpoints that are whole or not counted."""

import os
import shutil
from pathlib import Path

from pydantic import BaseModel

from brewslm.store.files import read_json, sha256, write_json

WEIGHTS = "adapter_model.safetensors"


class Complete(BaseModel):
    """The file COMPLETE.json, written last: a folder without it was cut off in mid-write.

    Attributes:
        trace_bytes: Length of the run's trace when the checkpoint was taken: a resume cuts the trace there.
        adapter_sha256: Of its weights, checked before they are used.
    """

    step: int
    dev_loss: float | None
    trace_bytes: int
    adapter_sha256: str


def complete(folder: Path, step: int, dev_loss: float | None, trace_bytes: int) -> None:
    """Make the folder's files durable, then say that they are all there."""
    for file in folder.iterdir():
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    said = Complete(step=step, dev_loss=dev_loss, trace_bytes=trace_bytes, adapter_sha256=sha256(folder / WEIGHTS))
    write_json(folder / "COMPLETE.json", said.model_dump())


def checkpoints(folder: Path) -> list[tuple[Path, Complete]]:
    """The complete checkpoints, oldest first; what is torn or damaged is removed, so that nothing builds on it."""
    found = []
    for path in folder.glob("checkpoint-*"):
        said = Complete.model_validate(read_json(path / "COMPLETE.json")) if (path / "COMPLETE.json").exists() else None
        if said is None or not (path / WEIGHTS).exists() or sha256(path / WEIGHTS) != said.adapter_sha256:
            shutil.rmtree(path)
        else:
            found.append((path, said))
    return sorted(found, key=lambda pair: pair[1].step)


def best(found: list[tuple[Path, Complete]]) -> tuple[Path, Complete]:
    """The checkpoint with the lowest dev loss; the last one where none was measured."""
    measured = [pair for pair in found if pair[1].dev_loss is not None]
    return min(measured, key=lambda pair: pair[1].dev_loss or 0.0) if measured else found[-1]


def keep_best_and_last(folder: Path) -> None:
    """Remove every other checkpoint."""
    found = checkpoints(folder)
    for path, _ in found:
        if path not in (best(found)[0], found[-1][0]):
            shutil.rmtree(path)
