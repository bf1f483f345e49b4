"""TRL's DPOTrainer and ORPOTrainer on our tokens, packs, order and checkpoints. The objectives' formulas are TRL's own.

TRL would render the chat template, add and cut tokens, and compute prompts and padding in every pass. Here it gets the
log-probabilities of exactly the tokens that a served model would write, computed on packs as in supervised training.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from brewslm.models.loading import multiplying_in
from brewslm.models.packing import Pack, Pair, pack, shared_prefix
from brewslm.models.recipe import Recipe
from brewslm.processes.context import Context, Paused
from brewslm.stages.train.adapter import without_adapter
from brewslm.stages.train.guards import loss_must_tell
from brewslm.stages.train.loss import output_matrix, token_log_probs
from brewslm.stages.train.trainer import OurWays, settings
from brewslm.stages.train.watcher import CheckpointPlan

FIGURES = {
    "reward_accuracy": "rewards/accuracies", "reward_margin": "rewards/margins",
    "chosen_reward": "rewards/chosen", "rejected_reward": "rewards/rejected",
}  # fmt: skip
"""What the trace tells of a step, and TRL's name for it. DPO's reward is beta · (log-probability - that of the base); ORPO's
beta · (mean log-probability of a token)."""


@dataclass(frozen=True)
class Pass:
    """The pairs of one forward pass.

    Attributes:
        tokens_per_pair: Of better answers, in the whole batch on the mean: what ORPO's loss of them is divided by.
    """

    pairs: Sequence[Pair]
    packed: Pack
    tokens_per_pair: float


def passes_of(pairs: Sequence[Pair], prefix: Sequence[int], budget: int) -> list[Pass]:
    """Pairs in passes of at most `budget` tokens, in the order given."""
    found: list[Pass] = []
    mean = sum(pair.chosen.supervised for pair in pairs) / max(1, len(pairs))
    at = 0
    for packed in pack(pairs, prefix, budget):
        count = len(packed.lengths) // 2
        found.append(Pass(pairs[at : at + count], packed, mean))
        at += count
    return found


def _by_length(pairs: Sequence[Pair]) -> list[Pair]:
    return sorted(pairs, key=lambda pair: pair.tokens)


class Answers:
    """The log-probabilities that a model gives to answers.

    Args:
        base: The transformers model that holds the adapter; it attends within rows.
        head: From `output_matrix`.
    """

    def __init__(self, base: Any, head: Callable[[], Any]) -> None:
        self._base, self._head = base, head

    def of(self, packed: Pack) -> tuple[list[Any], list[Any]]:
        """Of each better answer's tokens, and of each worse one's."""
        parts = token_log_probs(self._base, packed, self._head()).split(packed.supervised_by_row)
        return list(parts[::2]), list(parts[1::2])

    def __call__(self, *, packed: Pack, labels: Any, **_: Any) -> Any:
        """What TRL's DPO asks of a model: (2·pairs, longest - 1), better answers first, 0 where nothing is supervised.

        Entropy and the like would cost another pass over the vocabulary, and no one reads them.
        """
        import torch

        better, worse = self.of(packed)
        nothing = torch.zeros(labels.shape[0], labels.shape[1] - 1, device=labels.device)
        said = nothing.masked_scatter(labels[:, 1:] != -100, torch.cat([*better, *worse]))
        return SimpleNamespace(log_probs=said, entropy=nothing, mean_logits=nothing, is_top1=nothing.bool())


def build(
    model: Any, tokenizer: Any, recipe: Recipe, pairs: Sequence[Pair], dev: Sequence[Pair], plan: CheckpointPlan,
    context: Context, experiment_id: str,
) -> Any:  # fmt: skip
    """As `trainer.build`, for pairs."""
    import torch

    from brewslm.models.kernels.fuse import fuse

    prefix = shared_prefix([*pairs, *dev])
    base = without_adapter(model)
    dtype = torch.bfloat16 if recipe.multiplies_in_bf16() else torch.float32
    answers = Answers(base, output_matrix(base, dtype))
    made = {"dpo": _dpo, "orpo": _orpo}[recipe.objective]
    trainer = made(model, tokenizer, settings(recipe, len(pairs), plan) | {"beta": recipe.beta}, answers)
    if recipe.method == "lora":
        fuse(base, dtype)
    if recipe.objective == "dpo":
        trainer.reference = reference(answers, [*pairs, *dev], prefix, recipe.pack_tokens, dtype, context)
    trainer.dtype, trainer.experiment_id = dtype, experiment_id
    trainer.train_dataset = list(pairs)
    trainer.data_collator = lambda batch: {"passes": passes_of(_by_length(batch), prefix, recipe.pack_tokens), "examples": batch}
    dev_passes = passes_of(_by_length(dev), prefix, recipe.pack_tokens)
    trainer.watch(pairs, recipe, plan, lambda: trainer.mean_loss(dev_passes), context, experiment_id)
    return trainer


def reference(
    answers: Answers, pairs: Sequence[Pair], prefix: Sequence[int], budget: int, dtype: Any, context: Context
) -> dict[str, tuple[float, float]]:
    """Row → log-probability of its two answers by the base model, computed once. To be called before anything is trained.

    An adapter changes nothing yet (LoRA's B is zero), and a whole model is its base: no second model is needed.

    Raises:
        Paused: It was asked for.
    """
    import torch

    found: dict[str, tuple[float, float]] = {}
    with torch.inference_mode(), multiplying_in(dtype):
        for one in passes_of(_by_length(pairs), prefix, budget):
            if context.pause_asked():
                raise Paused
            both = zip(*answers.of(one.packed), strict=True)
            said = ((better.sum().item(), worse.sum().item()) for better, worse in both)
            found |= zip((pair.row_id for pair in one.pairs), said, strict=True)
            context.progress(len(found), len(pairs), "pairs by the base")
    return found


class _Pairs(OurWays):
    """What is ours in both of TRL's trainers.

    Attributes:
        dtype: Of matrix products.
    """

    dtype: Any
    experiment_id: str

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """One optimizer step over all passes of a batch: the mean over its pairs, whatever the packing."""
        trainer: Any = self
        model.train()
        self.batch = inputs
        total, figures = 0.0, dict.fromkeys(FIGURES, 0.0)
        with multiplying_in(self.dtype):
            for one in inputs["passes"]:
                share = len(one.pairs) / len(inputs["examples"])
                loss = trainer.loss_of(one) * share
                trainer.accelerator.backward(loss)
                total = total + loss.detach()
                for name, theirs in FIGURES.items():
                    figures[name] += share * float(trainer.told[theirs][-1])
        inputs["figures"] = {name: round(value, 6) for name, value in figures.items()}
        loss_must_tell(float(total), self.experiment_id, trainer.state.global_step + 1)
        return total

    def mean_loss(self, passes: Sequence[Pass]) -> float | None:
        """The loss over passes, without gradients; None of none."""
        import torch

        trainer: Any = self
        trainer.model.eval()
        pairs = sum(len(one.pairs) for one in passes)
        with torch.inference_mode(), multiplying_in(self.dtype):
            return sum(trainer.loss_of(one).item() * len(one.pairs) / pairs for one in passes) if pairs else None

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """No: ours stands in the export."""

    def _send_telemetry(self) -> None:
        """No: what a team trains is told to no one."""


def _dpo(model: Any, tokenizer: Any, arguments: dict[str, Any], answers: Answers) -> Any:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    collate = DataCollatorForPreference(pad_token_id=0)  # masked by length: padding may be any token, also the end mark

    class PairsDPO(_Pairs, DPOTrainer):  # type: ignore[misc]
        reference: dict[str, tuple[float, float]]

        @property
        def told(self) -> Any:
            """TRL's figures of this step, one of each pass."""
            return self._metrics["train"]

        def loss_of(self, one: Pass) -> Any:
            """TRL's loss of a pass."""
            columns = collate([dpo_columns(pair, self.reference[pair.row_id]) for pair in one.pairs])
            return self.compute_loss(answers, self._prepare_inputs(columns) | {"packed": one.packed})

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def _precompute_ref_logps(self, dataset: Any, *_: Any) -> Any:
            return dataset

    config = DPOConfig(
        **arguments, precompute_ref_log_probs=True, max_length=None, gradient_checkpointing=False, bf16=False
    )  # fmt: skip
    rows = Dataset.from_dict({"row": [0]})  # TRL wants one to look at; the pairs come after it
    trainer = PairsDPO(model=model, args=config, train_dataset=rows, processing_class=tokenizer, data_collator=list)
    if hasattr(model, "get_base_model"):
        model.delete_adapter("ref")  # TRL's copy of the adapter as it begins, which is no other than the base
    return trainer


def dpo_columns(pair: Pair, reference: tuple[float, float]) -> dict[str, Any]:
    """A pair as TRL's collator takes it; its tokens are those of `example_ids`."""
    at = pair.chosen.prompt_length
    return {
        "prompt_ids": pair.chosen.ids[:at], "chosen_ids": pair.chosen.ids[at:], "rejected_ids": pair.rejected.ids[at:],
        "ref_chosen_logps": reference[0], "ref_rejected_logps": reference[1],
    }  # fmt: skip


class _Rows(list[Any]):
    """TRL's ORPO maps its rows to texts and tokens; these are tokens already."""

    def map(self, *_: Any, **__: Any) -> "_Rows":
        """Unchanged."""
        return self


def _orpo(model: Any, tokenizer: Any, arguments: dict[str, Any], answers: Answers) -> Any:
    import torch

    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    class PairsORPO(_Pairs, ORPOTrainer):  # type: ignore[misc]
        @property
        def told(self) -> Any:
            """TRL's figures of this step, one of each pass."""
            return self._stored_metrics["train"]

        def loss_of(self, one: Pass) -> Any:
            """TRL's loss of a pass."""
            return self.compute_loss(self.model, {"pass": one})

        def concatenated_forward(self, model: Any, batch: dict[str, Any]) -> Any:
            """Mean log-probability of each answer's tokens, and the loss of the better ones.

            TRL takes that loss over the prompt's tokens too; here a prompt is never learned, as in supervised training.
            """
            one: Pass = batch["pass"]
            better, worse = answers.of(one.packed)
            means = (torch.stack([part.mean() for part in parts]) for parts in (better, worse))
            loss = -torch.cat(better).sum() / (len(one.pairs) * one.tokens_per_pair)
            nothing = torch.zeros(1)  # logits, of which TRL would only tell the mean
            return *means, nothing, nothing, loss

    config = ORPOConfig(**arguments, gradient_checkpointing=False, bf16=False)
    return PairsORPO(model=model, args=config, train_dataset=_Rows(), processing_class=tokenizer, data_collator=list)
