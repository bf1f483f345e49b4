"""transformers' Trainer with our order, our packs and our loss; nothing else of it is replaced. What is ours in others too."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.models.loading import multiplying_in
from brewslm.models.packing import Packable, Trainable, pack, shared_prefix
from brewslm.models.recipe import Recipe
from brewslm.models.runtime import device_found
from brewslm.processes.context import Context
from brewslm.reasons.refusals import DiskFull
from brewslm.stages.train.adapter import without_adapter
from brewslm.stages.train.checkpoints import WRITING
from brewslm.stages.train.guards import loss_must_tell
from brewslm.stages.train.loss import mean_loss, output_matrix, pack_loss
from brewslm.stages.train.order import ShuffledOrder
from brewslm.stages.train.watcher import CheckpointPlan, watcher
from brewslm.store.files import says_full


def build(
    model: Any,
    recipe: Recipe,
    examples: Sequence[Packable],
    dev: Sequence[Packable],
    plan: CheckpointPlan,
    context: Context,
    experiment_id: str,
) -> Any:
    """A Trainer that is ready to `train()`.

    Its `train` raises StageError(TrainingRuntimeError) when a guard stops it, StageError(DiskFull) when a checkpoint does not
    fit, and Paused.

    Args:
        model: From `adapter.model_to_train`.
    """
    import torch
    from transformers import Trainer, TrainingArguments

    from brewslm.models.kernels.fuse import fuse

    prefix = shared_prefix([*examples, *dev])
    base = without_adapter(model)
    dtype = torch.bfloat16 if recipe.multiplies_in_bf16() else torch.float32
    head = output_matrix(base, dtype)
    if recipe.method == "lora":
        fuse(base, dtype)
    dev_packs = pack(sorted(dev, key=lambda row: row.tokens), prefix, recipe.pack_tokens)

    class PackedTrainer(OurWays, Trainer):  # type: ignore[misc]
        """Trains on packs."""

        def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
            """One optimizer step over all packs of a batch: the mean over its supervised tokens, whatever the packing."""
            model.train()
            self.batch = inputs
            supervised = sum(packed.supervised for packed in inputs["packs"])
            total = torch.zeros((), device=base.device)
            with multiplying_in(dtype):
                for packed in inputs["packs"]:
                    loss = pack_loss(base, packed, head()) / supervised
                    self.accelerator.backward(loss)
                    total += loss.detach()
            loss_must_tell(total.item(), experiment_id, self.state.global_step + 1)
            return total

    def collate(batch: list[Packable]) -> dict[str, Any]:
        rows = sorted(batch, key=lambda row: row.tokens)  # attention is computed as for a pack's longest row
        return {"packs": pack(rows, prefix, recipe.pack_tokens), "examples": batch}

    arguments = TrainingArguments(**settings(recipe, len(examples), plan))
    trainer = PackedTrainer(model=model, args=arguments, train_dataset=list(examples), data_collator=collate)

    def dev_loss() -> float | None:
        with multiplying_in(dtype):
            return mean_loss(base, dev_packs, head()) if dev_packs else None

    trainer.watch(examples, recipe, plan, dev_loss, context, experiment_id)
    return trainer


class OurWays:
    """What is ours in every Trainer, to stand before it among the bases of a class: our order, and errors that say what they are.

    Attributes:
        batch: Of the step that is being done; see `watcher`.
    """

    batch: dict[str, Any]

    def watch(
        self, examples: Sequence[Trainable], recipe: Recipe, plan: CheckpointPlan, dev_loss: Callable[[], float | None],
        context: Context, experiment_id: str,
    ) -> None:  # fmt: skip
        """To be called once the Trainer is made: choose the order, and let the trace tell what the Trainer would print."""
        from transformers import PrinterCallback

        self._order = ShuffledOrder(len(examples), recipe.seed)
        self._plan = plan
        trainer: Any = self
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(watcher(self, experiment_id, dev_loss, plan, context))

    def _get_train_sampler(self, *_: Any) -> Any:
        return self._order

    def _save_checkpoint(self, *given: Any) -> None:
        from safetensors import SafetensorError

        trainer: Any = super()
        try:
            trainer._save_checkpoint(*given)
        except (OSError, RuntimeError, SafetensorError) as error:  # torch and safetensors hide the system's error in their own
            raise _not_written(error, self._plan.folder, self.state.global_step) from error  # type: ignore[attr-defined]


def settings(recipe: Recipe, rows: int, plan: CheckpointPlan) -> dict[str, Any]:
    """Of transformers' TrainingArguments, or TRL's: what a recipe means."""
    steps = total_steps(rows, recipe)
    return {
        "output_dir": str(plan.folder / WRITING), "use_cpu": device_found() == "cpu", "seed": recipe.seed, "max_steps": steps,
        "per_device_train_batch_size": recipe.batch_size, "max_grad_norm": recipe.max_grad_norm,
        "learning_rate": recipe.learning_rate, "lr_scheduler_type": recipe.schedule,
        "warmup_steps": round(recipe.warmup_share * steps), "weight_decay": recipe.weight_decay,
        "logging_steps": 1, "save_strategy": "steps", "save_steps": plan.every, "report_to": [], "disable_tqdm": True,
        "remove_unused_columns": False, "dataloader_num_workers": 0, "label_names": ["packs"],
    }  # fmt: skip


def total_steps(rows: int, recipe: Recipe) -> int:
    """Optimizer steps of a run."""
    return max(1, round(recipe.epochs * -(-rows // recipe.batch_size)))


def plan_for(recipe: Recipe, rows: int, folder: Path, made_from: dict[str, str]) -> CheckpointPlan:
    """The recipe's checkpoints, spread evenly over the run."""
    steps = total_steps(rows, recipe)
    return CheckpointPlan(folder, -(-steps // recipe.checkpoints), steps, recipe.patience, made_from)


def _not_written(error: Exception, folder: Path, step: int) -> Exception:
    """What a failed checkpoint is told as. What was written of it is taken away first, so that there is room to say so."""
    free = shutil.disk_usage(folder).free
    shutil.rmtree(folder / WRITING, ignore_errors=True)
    if not says_full(error) and free >= 2**20:
        return error
    left = f"{shutil.disk_usage(folder).free / 2**20:,.1f} MB are free, now that it was taken back; earlier ones are whole"
    return StageError(DiskFull(), f"The checkpoint of step {step} was not written", cause=left)
