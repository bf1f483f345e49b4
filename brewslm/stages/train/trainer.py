"""transformers' Trainer with our order, our packs and our loss; nothing else of it is replaced."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from brewslm.models.loading import bf16_is_fast
from brewslm.models.packing import Example, pack, shared_prefix
from brewslm.models.recipe import Recipe
from brewslm.processes.context import ChildContext, Context
from brewslm.stages.train.checkpoints import complete
from brewslm.stages.train.loss import mean_loss, pack_loss
from brewslm.stages.train.order import LengthGroupedOrder


class LossIsBroken(Exception):
    """The loss became NaN, infinite or exactly zero: what follows would be silently wrong."""


def with_adapter(model: Any, recipe: Recipe) -> Any:
    """The model with a fresh LoRA on every linear layer of its top layers; the base is frozen."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(recipe.seed)
    layers = model.config.num_hidden_layers
    first = layers - max(1, round(layers * recipe.lora_top_layers))
    linear = {name.rpartition(".")[2] for name, module in model.model.named_modules() if isinstance(module, torch.nn.Linear)}
    return get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM", r=recipe.lora_r, lora_alpha=recipe.lora_alpha, lora_dropout=0.0, target_modules=linear,
            layers_to_transform=list(range(first, layers)) if first else None,
        ),
    )  # fmt: skip


def build(model: Any, recipe: Recipe, examples: Sequence[Example], dev: Sequence[Example], folder: Path, context: Context) -> Any:
    """A Trainer that is ready to `train()`.

    Args:
        model: From `with_adapter`.
        folder: Where checkpoints go.
    """
    import torch
    from transformers import PrinterCallback, Trainer, TrainingArguments

    prefix = shared_prefix([*examples, *dev])
    head = model.get_base_model().lm_head.weight.detach()
    head = head.to(torch.bfloat16) if bf16_is_fast() else head
    order = LengthGroupedOrder([len(example.ids) for example in examples], recipe.batch_size, recipe.seed)
    dev_packs = pack(sorted(dev, key=lambda example: len(example.ids)), prefix, recipe.pack_tokens)

    class PackedTrainer(Trainer):  # type: ignore[misc]
        """Trains on packs."""

        batch: dict[str, Any]

        def _get_train_sampler(self, *_: Any) -> Any:
            return order

        def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
            """One optimizer step over all packs of a batch: the mean over its supervised tokens, whatever the packing."""
            model.train()
            self.batch = inputs
            supervised = sum(packed.supervised for packed in inputs["packs"])
            total = torch.zeros((), device=head.device)
            for packed in inputs["packs"]:
                with self.compute_loss_context_manager():
                    loss = pack_loss(model.get_base_model(), packed, head) / supervised
                self.accelerator.backward(loss)
                total += loss.detach()
            if not torch.isfinite(total) or total == 0:
                raise LossIsBroken(f"loss {total.item()} at step {self.state.global_step + 1}")
            return total

    def collate(batch: list[Example]) -> dict[str, Any]:
        return {"packs": pack(batch, prefix, recipe.pack_tokens), "examples": batch}

    steps = total_steps(len(examples), recipe)
    arguments = TrainingArguments(
        output_dir=str(folder), use_cpu=not torch.cuda.is_available(), bf16=bf16_is_fast(), seed=recipe.seed, max_steps=steps,
        per_device_train_batch_size=recipe.batch_size, learning_rate=recipe.learning_rate, lr_scheduler_type=recipe.schedule,
        warmup_steps=round(recipe.warmup_share * steps), weight_decay=recipe.weight_decay, max_grad_norm=recipe.max_grad_norm,
        logging_steps=1, save_strategy="steps", save_steps=-(-steps // recipe.checkpoints), report_to=[], disable_tqdm=True,
        remove_unused_columns=False, dataloader_num_workers=0, label_names=["packs"],
    )  # fmt: skip
    trainer = PackedTrainer(model=model, args=arguments, train_dataset=list(examples), data_collator=collate)
    trainer.remove_callback(PrinterCallback)  # the trace tells it all
    trainer.add_callback(
        _watcher(trainer, lambda: mean_loss(model.get_base_model(), dev_packs, head) if dev_packs else None, folder, context)
    )
    return trainer


def total_steps(rows: int, recipe: Recipe) -> int:
    """Optimizer steps of a run."""
    return max(1, round(recipe.epochs * -(-rows // recipe.batch_size)))


def _watcher(trainer: Any, dev_loss: Callable[[], float | None], folder: Path, context: Context) -> Any:
    """Writes the trace, and completes each checkpoint with its dev loss."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):  # type: ignore[misc]
        began = time.monotonic()

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.began = time.monotonic()

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            if not logs or "loss" not in logs or "grad_norm" not in logs:
                return
            examples: list[Example] = trainer.batch["examples"]
            real = sum(len(example.ids) for example in examples)
            seconds = max(1e-9, time.monotonic() - self.began)
            _trace(
                context, "step", step=state.global_step, epoch=round(state.epoch or 0.0, 4), loss=float(logs["loss"]),
                learning_rate=float(logs["learning_rate"]), grad_norm=float(logs["grad_norm"]), tokens=real,
                tokens_per_second=round(real / seconds, 1), supervised_tokens=sum(example.supervised for example in examples),
                row_ids=[example.row_id for example in examples],
            )  # fmt: skip
            context.progress(
                state.global_step, state.max_steps, "step", loss=float(logs["loss"]), tokens_per_second=round(real / seconds, 1)
            )

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            loss = dev_loss()
            if loss is not None:
                _trace(context, "eval", step=state.global_step, dev_loss=loss)
            trace = context.folder / "trace.jsonl"
            complete(
                folder / f"checkpoint-{state.global_step}", state.global_step, loss, trace.stat().st_size if trace.exists() else 0
            )

    return Watcher()


def _trace(context: Context, line_kind: str, **fields: Any) -> None:
    if isinstance(context, ChildContext):
        context.trace(line_kind, **fields)
