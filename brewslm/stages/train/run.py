"""The training itself, top to bottom. It runs in a child process."""

import errno
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.environment import environment
from brewslm.models.loading import set_threads
from brewslm.models.memory import peak_resident_bytes
from brewslm.models.packing import Trainable
from brewslm.models.trained import is_whole, trained_weights
from brewslm.processes.context import Context
from brewslm.processes.trace import read_trace
from brewslm.reasons.refusals import DiskFull
from brewslm.reasons.training import TrainingResumed, TrainingRuntimeError, TrainingStoppedEarly
from brewslm.rows.ledger import Ledger, LedgerKeeper
from brewslm.rows.manifest import PreparedData
from brewslm.stages.train import trainer as training
from brewslm.stages.train.checkpoints import Checkpoint, best, checkpoints, keep_best
from brewslm.stages.train.guards import weights_must_have_changed
from brewslm.stages.train.job import TrainJob, TrainResult
from brewslm.stages.train.objectives import Objective, objective_for
from brewslm.stages.train.resuming import made_from, usable_checkpoints
from brewslm.stages.train.sinks import open_sink
from brewslm.stages.train.watcher import trace
from brewslm.store.files import new_folder, sha256, write_atomic

CONFIGS = ("config.json", "generation_config.json")


def run(job: TrainJob, context: Context) -> TrainResult:
    """Train to the end, from the last sound checkpoint where there is one.

    Raises:
        StageError(ManifestMismatch): The prepared rows are not those of the manifest.
        StageError(CheckpointMismatch): What was trained so far was made from something else.
        StageError(TrainingRuntimeError): A guard stopped it, or no row can be trained on.
        StageError(DiskFull): It ran out of disk; the last complete checkpoint is whole.
        Paused: It was asked for, and a checkpoint keeps where it was.
    """
    try:
        return _run(job, context)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = f"{shutil.disk_usage(job.output).free / 2**20:,.1f} MB are free; complete checkpoints are whole"
        raise StageError(DiskFull(), "Training was stopped", cause=free) from error


def _run(job: TrainJob, context: Context) -> TrainResult:
    began = time.monotonic()
    set_threads(job.threads)
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    objective = _objective(job, data)
    examples, dev, ledger = _examples(job, objective, data)
    found, damaged = usable_checkpoints(job)
    _cut_trace(context, found[-1] if found else None)
    for reason in damaged:
        context.tell(reason)
    _train(job, objective, examples, dev, found, context)
    chosen = best(checkpoints(job.output / "checkpoints"))
    adapter = _adopt(chosen.path, job.base.folder, job.base.architecture, job.output / "adapter")
    weights_must_have_changed(adapter, job.base.folder, job.experiment_id)
    keep_best(job.output / "checkpoints", newest=1)
    steps = read_trace(context.folder / "trace.jsonl", "step")
    _tell_if_early(job, len(steps), training.total_steps(len(examples), job.recipe), chosen, context)
    return TrainResult(
        ledger=ledger, experiment_id=job.experiment_id, base_model=job.base.locator, base_sha256=job.base.sha256,
        manifest_id=job.manifest_id, manifest_version=data.manifest.version,
        adapter_path=f"experiments/{job.experiment_id}/adapter",
        adapter_sha256=sha256(trained_weights(adapter)), final_train_loss=_tail_mean([step["loss"] for step in steps]),
        best_dev_loss=chosen.said.dev_loss, best_step=chosen.said.step, steps=len(steps), trained_rows=len(examples),
        real_tokens_per_second=_speed(steps), seconds=round(time.monotonic() - began, 1),
        method=job.recipe.method, environment=environment(job.recipe),
        peak_memory_bytes=peak_resident_bytes(),
    )  # fmt: skip


def _objective(job: TrainJob, data: PreparedData) -> Objective:
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    return objective_for(handler, job.base, job.recipe, job.experiment_id)


def _examples(job: TrainJob, objective: Objective, data: PreparedData) -> tuple[Sequence[Trainable], Sequence[Trainable], Ledger]:
    """Train and dev examples, and the ledger over the rows that were to be trained on."""
    keeper = LedgerKeeper()
    examples, rejected = objective.examples(data.train(), keeper)
    dev, _ = objective.examples(data.dev(), LedgerKeeper())
    lines = (orjson.dumps({"row_id": row_id, "reason": reason.value}) + b"\n" for row_id, reason in rejected)
    write_atomic(job.output / "rejected.jsonl", b"".join(lines))
    ledger = keeper.closed()
    if not examples:
        reason = TrainingRuntimeError(experiment_id=job.experiment_id, error="no row can be trained on")
        raise StageError(reason, "No row can be trained on", cause=f"rejected: {ledger.rejected}")
    objective.check([*examples, *dev])
    return examples, dev, ledger


def _cut_trace(context: Context, last: Checkpoint | None) -> None:
    """A resumed run's trace goes on where its checkpoint stands; a new run's begins empty."""
    path = context.folder / "trace.jsonl"
    if path.exists():
        os.truncate(path, min(last.said.trace_bytes if last else 0, path.stat().st_size))


def _train(
    job: TrainJob, objective: Objective, examples: Sequence[Trainable], dev: Sequence[Trainable], found: list[Checkpoint],
    context: Context,
) -> None:  # fmt: skip
    """From the last checkpoint found, or from the beginning, until the recipe is done or the dev loss has stopped falling."""
    plan = training.plan_for(job.recipe, len(examples), job.output / "checkpoints", made_from(job))
    last = found[-1] if found else None
    if last:
        context.tell(TrainingResumed(experiment_id=job.experiment_id, attempt=context.attempt, from_step=last.said.step))
        if last.said.step >= training.total_steps(len(examples), job.recipe) or plan.is_enough(last.said.stale):
            return
    longest, row = objective.largest_pass(examples, dev)  # what a run that is out of memory could do with less of
    trace(context, "packs", longest_pack=longest, longest_row=row)
    trainer = objective.trainer(objective.model(), examples, dev, plan, context)
    with open_sink(job.log_to, job.output, job.experiment_id, last.said.step if last else 0, context):
        trainer.train(resume_from_checkpoint=str(last.path) if last else None)


def _tell_if_early(job: TrainJob, steps: int, planned: int, chosen: Checkpoint, context: Context) -> None:
    if steps < planned:
        context.tell(
            TrainingStoppedEarly(
                experiment_id=job.experiment_id, at_step=steps, planned_steps=planned, best_step=chosen.said.step,
                patience=job.recipe.patience,
            )
        )  # fmt: skip


def _adopt(checkpoint: Path, base: Path, architecture: ArchitectureName, adapter: Path) -> Path:
    """Copy the chosen checkpoint's weights, and nothing of the optimizer; a whole model with its config: that of a causal base is
    unchanged by training, a new head stands in the checkpoint's alone."""
    weights = trained_weights(checkpoint)
    configs = base if architecture == "causal" else checkpoint
    beside = [configs / name for name in CONFIGS] if is_whole(checkpoint) else [checkpoint / "adapter_config.json"]
    with new_folder(adapter) as folder:
        for file in (weights, *beside):
            if file.is_file() or file is weights:
                shutil.copyfile(file, folder / file.name)
    return adapter


def _tail_mean(losses: list[float]) -> float:
    """Mean over the last tenth of the steps (at least one): a single batch's loss is noise."""
    tail = losses[-max(1, len(losses) // 10) :]
    return round(sum(tail) / max(1, len(tail)), 6)


def _speed(steps: list[dict[str, Any]]) -> float:
    seconds: float = sum(step["tokens"] / step["tokens_per_second"] for step in steps)
    tokens: int = sum(step["tokens"] for step in steps)
    return round(tokens / max(1e-9, seconds), 1)
