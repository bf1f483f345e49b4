"""The training itself, top to bottom. It runs in a child process."""

import os
import resource
import shutil
import time
from pathlib import Path
from typing import Any

import orjson

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.examples import tokenise
from brewslm.models.loading import load_tokenizer, set_threads
from brewslm.models.packed_attention import attend_within_rows
from brewslm.models.packing import Example
from brewslm.processes.context import Context
from brewslm.processes.trace import read_trace
from brewslm.reasons.training import TrainingResumed, TrainingRuntimeError
from brewslm.rows.ledger import Ledger, LedgerKeeper
from brewslm.rows.manifest import PreparedData
from brewslm.stages.train import trainer as training
from brewslm.stages.train.checkpoints import WEIGHTS, Complete, best, checkpoints, keep_best_and_last
from brewslm.stages.train.job import TrainJob, TrainResult
from brewslm.store.files import new_folder, sha256, write_atomic


def run(job: TrainJob, context: Context) -> TrainResult:
    """Train to the end, from the last complete checkpoint where there is one.

    Raises:
        StageError(ManifestMismatch): The prepared rows are not those of the manifest.
        StageError(TrainingRuntimeError): The loss broke, nothing was learned, or no row can be trained on.
    """
    began = time.monotonic()
    set_threads()
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    examples, dev, ledger = _examples(job, data)
    found = checkpoints(job.output / "checkpoints")
    _cut_trace(context, found[-1][1] if found else None)
    model = _trained(job, examples, dev, found, context)
    found = checkpoints(job.output / "checkpoints")
    chosen, said = best(found)
    adapter = _adopt(chosen, job.output / "adapter")
    _must_have_learned(job, model, adapter)
    keep_best_and_last(job.output / "checkpoints")
    run_id = job.experiment_id
    steps = read_trace(context.folder / "trace.jsonl", "step")
    return TrainResult(
        ledger=ledger, experiment_id=run_id, base_model=job.base.locator, base_sha256=job.base.sha256,
        manifest_id=job.manifest_id, manifest_version=data.manifest.version, adapter_path=f"experiments/{run_id}/adapter",
        adapter_sha256=sha256(adapter / WEIGHTS), final_train_loss=_tail_mean([step["loss"] for step in steps]),
        best_dev_loss=said.dev_loss, best_step=said.step, steps=len(steps), trained_rows=len(examples),
        real_tokens_per_second=_speed(steps), seconds=round(time.monotonic() - began, 1),
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )  # fmt: skip


def _examples(job: TrainJob, data: PreparedData) -> tuple[list[Example], list[Example], Ledger]:
    """Train and dev examples, and the ledger over the rows that were to be trained on."""
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    tokenizer = load_tokenizer(job.base.folder)
    keeper = LedgerKeeper()
    examples, rejected = tokenise(data.train(), handler, tokenizer, job.recipe.max_length, keeper)
    dev, _ = tokenise(data.dev(), handler, tokenizer, job.recipe.max_length, LedgerKeeper())
    lines = (orjson.dumps({"row_id": row_id, "reason": reason.value}) + b"\n" for row_id, reason in rejected)
    write_atomic(job.output / "rejected.jsonl", b"".join(lines))
    ledger = keeper.closed()
    if not examples:
        reason = TrainingRuntimeError(experiment_id=job.experiment_id, error="no row can be trained on")
        raise StageError(reason, "No row can be trained on", cause=f"rejected: {ledger.rejected}")
    return examples, dev, ledger


def _cut_trace(context: Context, said: Complete | None) -> None:
    """A resumed run's trace goes on where its checkpoint stands; a new run's begins empty."""
    trace = context.folder / "trace.jsonl"
    if trace.exists():
        os.truncate(trace, min(said.trace_bytes if said else 0, trace.stat().st_size))


def _trained(
    job: TrainJob, examples: list[Example], dev: list[Example], found: list[tuple[Path, Complete]], context: Context
) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(job.base.folder, dtype=torch.float32)
    attend_within_rows(model)
    model = training.with_adapter(model, job.recipe)
    trainer = training.build(model, job.recipe, examples, dev, job.output / "checkpoints", context)
    if found:
        context.tell(TrainingResumed(experiment_id=job.experiment_id, attempt=len(found), from_step=found[-1][1].step))
    if found and found[-1][1].step >= trainer.args.max_steps:
        return model
    try:
        trainer.train(resume_from_checkpoint=str(found[-1][0]) if found else None)
    except training.LossIsBroken as broken:
        reason = TrainingRuntimeError(experiment_id=job.experiment_id, error=str(broken), last_step=trainer.state.global_step)
        raise StageError(
            reason, "Training was stopped", cause=str(broken), next_step="Try a smaller --set learning_rate=…."
        ) from None
    return model


def _adopt(checkpoint: Path, adapter: Path) -> Path:
    """Copy the chosen checkpoint's adapter, and nothing of the optimizer."""
    with new_folder(adapter) as folder:
        for name in (WEIGHTS, "adapter_config.json"):
            shutil.copyfile(checkpoint / name, folder / name)
    return adapter


def _must_have_learned(job: TrainJob, model: Any, adapter: Path) -> None:
    """LoRA's B matrices start at zero: where they still are, the merge would change nothing."""
    from safetensors.torch import load_file

    if not any(bool(weight.any()) for name, weight in load_file(adapter / WEIGHTS).items() if "lora_B" in name):
        reason = TrainingRuntimeError(experiment_id=job.experiment_id, error="the adapter is unchanged")
        raise StageError(reason, "Nothing was learned", cause="every B matrix of the adapter is still zero")


def _tail_mean(losses: list[float]) -> float:
    """Mean over the last tenth of the steps (at least one): a single batch's loss is noise."""
    tail = losses[-max(1, len(losses) // 10) :]
    return round(sum(tail) / max(1, len(tail)), 6)


def _speed(steps: list[dict[str, Any]]) -> float:
    seconds: float = sum(step["tokens"] / step["tokens_per_second"] for step in steps)
    tokens: int = sum(step["tokens"] for step in steps)
    return round(tokens / max(1e-9, seconds), 1)
