"""Supervised training of a model that is not causal: padded passes of rows of like length."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from brewslm.handlers.examples import encode
from brewslm.models.architectures import Architecture, Encoded, architecture_for
from brewslm.models.architectures.batching import padded_tokens, passes_of
from brewslm.models.loading import multiplying_in
from brewslm.models.recipe import Recipe
from brewslm.processes.context import Context
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason
from brewslm.stages.train.guards import labels_must_end, loss_must_tell
from brewslm.stages.train.objectives import Objective
from brewslm.stages.train.trainer import OurWays, settings
from brewslm.stages.train.watcher import CheckpointPlan


class Batches(Objective):
    """As the architecture reads rows, and has its loss."""

    @cached_property
    def reads(self) -> Architecture:
        """The base's architecture, on its folder."""
        return architecture_for(self.architecture, self.base, self.handler.schema)

    def examples(self, rows: Sequence[PreparedRow], ledger: LedgerKeeper) -> tuple[list[Encoded], list[tuple[str, RowReason]]]:
        """Each row as the model reads it."""
        return encode(rows, self.handler, self.reads, self.recipe.max_length, ledger)

    def check(self, examples: Sequence[Encoded]) -> None:
        """Where answers are written, each ends with the end mark."""
        if self.reads.end_id is not None:
            labels_must_end(examples, self.reads.end_id, self.experiment_id)

    def largest_pass(self, examples: Sequence[Encoded], dev: Sequence[Encoded]) -> tuple[int, int]:
        """A pass of the longest rows."""
        longest = sorted(examples, key=lambda one: one.tokens, reverse=True)[: self.recipe.batch_size]
        return max(padded_tokens(one) for one in passes_of(longest, self.recipe.pack_tokens)), longest[0].tokens

    def model(self) -> Any:
        """Every weight, or an adapter on its linear layers; what the base lacks is trained whole in any case."""
        import torch

        torch.manual_seed(self.recipe.seed)
        model = self.reads.read_weights(self.base)
        if self.recipe.method == "full":
            return model.requires_grad_(True)
        from peft import LoraConfig, get_peft_model

        new = [name for name in self.reads.new_modules if hasattr(model, name)]
        config = LoraConfig(
            r=self.recipe.lora_r, lora_alpha=self.recipe.lora_alpha, lora_dropout=0.0, use_dora=self.recipe.method == "dora",
            target_modules=self.reads.adapted_modules(model), exclude_modules=new or None, modules_to_save=new or None,
        )  # fmt: skip
        return get_peft_model(model, config)

    def trainer(
        self, model: Any, examples: Sequence[Encoded], dev: Sequence[Encoded], plan: CheckpointPlan, context: Context
    ) -> Any:
        """transformers' own, on passes."""
        return build(model, self.reads, self.recipe, examples, dev, plan, context, self.experiment_id)


def build(
    model: Any, architecture: Architecture, recipe: Recipe, examples: Sequence[Encoded], dev: Sequence[Encoded],
    plan: CheckpointPlan, context: Context, experiment_id: str,
) -> Any:  # fmt: skip
    """A Trainer that is ready to `train()`; it raises as `trainer.build`'s does."""
    import torch
    from transformers import Trainer, TrainingArguments

    from brewslm.models.kernels.exact_attention import attend_exactly

    dtype = torch.bfloat16 if recipe.multiplies_in_bf16() else torch.float32
    if dtype == torch.bfloat16 and model.device.type == "cpu":
        attend_exactly(model)

    class BatchTrainer(OurWays, Trainer):  # type: ignore[misc]
        """Trains on passes."""

        def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
            """One optimizer step over all passes of a batch: the mean over what is supervised in it, however it was divided."""
            model.train()
            self.batch = inputs
            supervised = sum(one.supervised for one in inputs["examples"])
            total = torch.zeros((), device=self.args.device)
            with multiplying_in(dtype):
                for rows in passes_of(inputs["examples"], recipe.pack_tokens):
                    loss = architecture.loss(model, _on(self.args.device, architecture.collate(rows))) / supervised
                    self.accelerator.backward(loss)
                    total += loss.detach()
            loss_must_tell(total.item(), experiment_id, self.state.global_step + 1)
            return total

    arguments = TrainingArguments(**settings(recipe, len(examples), plan))
    trainer = BatchTrainer(
        model=model, args=arguments, train_dataset=list(examples), data_collator=lambda batch: {"examples": batch}
    )
    trainer.watch(examples, recipe, plan, _dev_loss(trainer, architecture, recipe, dev, dtype), context, experiment_id)
    return trainer


def _dev_loss(
    trainer: Any, architecture: Architecture, recipe: Recipe, dev: Sequence[Encoded], dtype: Any
) -> Callable[[], float | None]:
    """Mean loss over what is supervised of the dev rows, as the model answers when it is asked."""

    def measured() -> float | None:
        import torch

        if not dev:
            return None
        trainer.model.eval()
        total, passes = 0.0, passes_of(dev, recipe.pack_tokens)
        with torch.inference_mode(), multiplying_in(dtype):
            for rows in passes:
                total += architecture.loss(trainer.model, _on(trainer.args.device, architecture.collate(rows))).item()
        return total / sum(one.supervised for one in dev)

    return measured


def _on(device: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: value.to(device) for name, value in inputs.items()}
