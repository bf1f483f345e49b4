"""Training in this process: a job that needs no table, and models made so that training on them goes wrong."""

from pathlib import Path
from typing import Any

import orjson

from brewslm.errors import StageError
from brewslm.processes.context import ChildContext
from brewslm.processes.trace import read_trace
from brewslm.stages.train import TrainJob, TrainResult
from tests.experiments import rows, write_prepared

SMALL = {"epochs": "2", "batch_size": "4", "learning_rate": "0.01", "checkpoints": "4"}


def job_for(folder: Path, base: Path, dev: int = 0, **settings: str) -> TrainJob:
    """On 24 short rows, of which the last `dev` only measure."""
    from brewslm.models.catalogue import base_model
    from brewslm.models.recipe import recipe_named
    from brewslm.store.files import sha256

    manifest = folder / "prepared" / "manifest.json"
    if not manifest.exists():
        write_prepared(1, folder / "prepared", base)
    if dev:
        _mark_dev(folder / "prepared", dev)
    return TrainJob(
        experiment_id="exp-1", project=1, base=base_model(f"path:{base}"), manifest_id=1, manifest_path=manifest,
        manifest_sha256=sha256(manifest), recipe=recipe_named("classification", SMALL | settings), output=folder / "exp-1",
    )  # fmt: skip


def _mark_dev(prepared: Path, dev: int) -> None:
    from brewslm.rows.manifest import Manifest, SplitFile
    from brewslm.store.files import read_json, sha256, write_json

    path = prepared / "train.jsonl"
    made = rows()
    lines = [orjson.dumps(row | ({"slice": "dev"} if at >= len(made) - dev else {})) + b"\n" for at, row in enumerate(made)]
    path.write_bytes(b"".join(lines))
    manifest = Manifest.model_validate(read_json(prepared / "manifest.json"))
    split = SplitFile(path="train.jsonl", sha256=sha256(path), size_bytes=path.stat().st_size, rows=24)
    changed = manifest.model_copy(
        update={"splits": manifest.splits | {"train": split}, "rows": {"train": 24 - dev, "dev": dev, "eval": 24}}
    )
    write_json(prepared / "manifest.json", changed.model_dump(mode="json"))


def train(job: TrainJob) -> TrainResult:
    from brewslm.stages.train.run import run

    folder = job.output.parent / "run"
    folder.mkdir(exist_ok=True)
    job.output.mkdir(exist_ok=True)
    return run(job, ChildContext(folder))


def steps(job: TrainJob, line_kind: str = "step") -> list[dict[str, Any]]:
    """The trace of its run."""
    return read_trace(job.output.parent / "run" / "trace.jsonl", line_kind)


def told(job: TrainJob) -> list[str]:
    """The codes of the reasons it told."""
    return [line["code"] for line in steps(job, "reason")]


def stopped(job: TrainJob) -> StageError:
    """The error that it ends in."""
    try:
        train(job)
    except StageError as error:
        return error
    raise AssertionError("it ended well")


def changed_model(base: Path, folder: Path, change: Any) -> Path:
    """A copy of the model whose weights `change(model)` has spoilt; its output matrix is its own."""
    import shutil

    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    with torch.no_grad():
        change(model)
    shutil.copytree(base, folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder)
    return folder


class CutOff(Exception):
    """The run ends here, as if it had been killed."""


class CutOffAt(ChildContext):
    """Ends the run once it has told of a step."""

    def __init__(self, folder: Path, step: int) -> None:
        super().__init__(folder)
        self._step = step

    def progress(self, done: int, total: int | None, unit: str, **figures: float) -> None:
        if unit == "step" and done >= self._step:
            raise CutOff


def train_until(job: TrainJob, step: int) -> list[Path]:
    """Cut off after that step; the checkpoints that it left, oldest first."""
    from brewslm.stages.train.run import run

    folder = job.output.parent / "run"
    folder.mkdir(exist_ok=True)
    job.output.mkdir(exist_ok=True)
    try:
        run(job, CutOffAt(folder, step))
    except CutOff:
        found = job.output.glob("checkpoints/checkpoint-*")
        return sorted(found, key=lambda path: int(path.name.partition("-")[2]))
    raise AssertionError("it came to its end before that step")
