"""Checkpoints that are whole or not counted."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import BaseModel, ValidationError

from brewslm.store.files import read_json, sha256, sync_folder, write_json

COMPLETE = "COMPLETE.json"
WRITING = ".writing"
"""Where a checkpoint is written before it gets its name; what is left there was cut off."""


class Complete(BaseModel):
    """The file COMPLETE.json: a checkpoint without it is none.

    Attributes:
        trace_bytes: Length of the run's trace when the checkpoint was taken: a resume cuts the trace there.
        stale: Measurements of the dev loss in a row, up to this one, that were no better than the best.
        made_from: Hashes of the recipe, the manifest and the base model: another run must not build on it.
        files: Name → SHA-256 of every file beside this one, checked before they are used.
    """

    step: int
    dev_loss: float | None
    trace_bytes: int
    stale: int = 0
    made_from: dict[str, str]
    files: dict[str, str]


@dataclass(frozen=True)
class Checkpoint:
    """One that was completed."""

    path: Path
    said: Complete

    def damaged_file(self) -> str:
        """The first file that is not as it was written; "" when all are."""
        return next((name for name, was in self.said.files.items() if _hash(self.path / name) != was), "")


@dataclass(frozen=True)
class Damaged:
    """A checkpoint that can't be used.

    Attributes:
        file: What of it is not as it was written.
    """

    path: Path
    file: str


def complete(written: Path, folder: Path, said: Complete) -> Path:
    """Make what was written durable, say that it is all there, and only then give it its name in `folder`."""
    hashes = {}
    for file in sorted(written.iterdir()):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
        hashes[file.name] = sha256(file)
    write_json(written / COMPLETE, said.model_copy(update={"files": hashes}).model_dump())
    named = folder / f"checkpoint-{said.step}"
    shutil.rmtree(named, ignore_errors=True)
    written.rename(named)
    sync_folder(folder)
    return named


def checkpoints(folder: Path) -> list[Checkpoint]:
    """The completed ones, oldest first; their files are not looked at."""
    return sorted((one for one in _all(folder) if isinstance(one, Checkpoint)), key=lambda one: one.said.step)


def sound_checkpoints(folder: Path) -> tuple[list[Checkpoint], list[Damaged]]:
    """Those whose every file is as it was written, oldest first; and the others, which are removed: nothing builds on them."""
    shutil.rmtree(folder / WRITING, ignore_errors=True)
    sound, damaged = [], []
    for one in _all(folder):
        file = one.damaged_file() if isinstance(one, Checkpoint) else one.file
        if file:
            damaged.append(Damaged(one.path, file))
            shutil.rmtree(one.path)
        elif isinstance(one, Checkpoint):
            sound.append(one)
    return sorted(sound, key=lambda one: one.said.step), damaged


def best(found: list[Checkpoint]) -> Checkpoint:
    """The checkpoint with the lowest dev loss; the last one where none was measured."""
    measured = [(one.said.dev_loss, one) for one in found if one.said.dev_loss is not None]
    return min(measured, key=lambda pair: pair[0])[1] if measured else found[-1]


def keep_best(folder: Path, newest: int) -> None:
    """Remove every checkpoint but the best and the newest ones."""
    found = checkpoints(folder)
    for one in found[:-newest]:
        if one != best(found):
            shutil.rmtree(one.path)


def _all(folder: Path) -> Iterator[Checkpoint | Damaged]:
    for path in sorted(folder.glob("checkpoint-*")):
        try:
            yield Checkpoint(path, Complete.model_validate(read_json(path / COMPLETE)))
        except (OSError, orjson.JSONDecodeError, ValidationError):
            yield Damaged(path, COMPLETE)


def _hash(path: Path) -> str:
    return sha256(path) if path.is_file() else ""
