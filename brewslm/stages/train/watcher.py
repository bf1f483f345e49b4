"""What is seen of a training run from step to step: its trace, its guards, its checkpoints, and when it is enough."""

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from brewslm.models.packing import Trainable
from brewslm.processes.context import ChildContext, Context, Paused
from brewslm.stages.train.checkpoints import WRITING, Complete, best, checkpoints, complete, keep_best
from brewslm.stages.train.guards import gradient_must_tell


def watcher(
    trainer: Any, experiment_id: str, dev_loss: Callable[[], float | None], plan: "CheckpointPlan", context: Context
) -> Any:
    """A callback for transformers' Trainer.

    Args:
        trainer: Its `batch` holds the "examples" of the step, and perhaps "figures" that its kind of training has besides.
        dev_loss: Measures; None without a dev slice.
    """
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):  # type: ignore[misc]
        began = time.monotonic()

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.began = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_save = control.should_save or context.pause_asked()

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            if not logs or "loss" not in logs or "grad_norm" not in logs:
                return
            gradient_must_tell(float(logs["grad_norm"]), experiment_id, state.global_step)
            figures = step_figures(trainer.batch["examples"], max(1e-9, time.monotonic() - self.began))
            figures |= trainer.batch.get("figures", {})
            trace(
                context, "step", step=state.global_step, epoch=round(state.epoch or 0.0, 4), loss=float(logs["loss"]),
                learning_rate=float(logs["learning_rate"]), grad_norm=float(logs["grad_norm"]), **figures,
            )  # fmt: skip
            speed = figures["tokens_per_second"]
            context.progress(state.global_step, state.max_steps, "step", loss=float(logs["loss"]), tokens_per_second=speed)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            planned = plan.is_due(state.global_step)
            loss = dev_loss() if planned else None
            if loss is not None:
                trace(context, "eval", step=state.global_step, dev_loss=loss)
            enough = plan.save(state.global_step, loss, context)
            control.should_training_stop = control.should_training_stop or enough
            if context.pause_asked() and not control.should_training_stop:
                raise Paused

    return Watcher()


class CheckpointPlan:
    """When checkpoints are due, and when no better one is to be expected.

    Args:
        every: Steps between two.
        patience: Measurements without a lower dev loss after which it is enough; 0 for never.
        made_from: See Complete.
    """

    def __init__(self, folder: Path, every: int, steps: int, patience: int, made_from: dict[str, str]) -> None:
        self.folder, self.every, self._steps, self._patience, self._made_from = folder, every, steps, patience, made_from

    def is_due(self, step: int) -> bool:
        """False for a checkpoint that only a pause asked for: it is not measured, so that a pause changes nothing."""
        return step % self.every == 0 or step >= self._steps

    def save(self, step: int, loss: float | None, context: Context) -> bool:
        """Complete what the Trainer wrote, keep the best and the newest; whether to stop early."""
        found = checkpoints(self.folder)
        stale = found[-1].said.stale if found else 0
        if loss is not None:
            lowest = best(found).said.dev_loss if found else None
            stale = stale + 1 if lowest is not None and loss >= lowest else 0
        written = context.folder / "trace.jsonl"
        said = Complete(
            step=step, dev_loss=loss, trace_bytes=written.stat().st_size if written.exists() else 0, stale=stale,
            made_from=self._made_from, files={},
        )  # fmt: skip
        complete(self.folder / WRITING / f"checkpoint-{step}", self.folder, said)
        shutil.rmtree(self.folder / WRITING)
        keep_best(self.folder, newest=2)  # should the last be damaged, the one before it is there to go on from
        return self.is_enough(stale)

    def is_enough(self, stale: int) -> bool:
        """Whether so many measurements in a row without a lower dev loss end the run."""
        return bool(self._patience) and stale >= self._patience


def step_figures(examples: Sequence[Trainable], seconds: float) -> dict[str, Any]:
    """What a step trained on, how fast, and the memory that the process holds now."""
    import psutil

    real, supervised = sum(example.tokens for example in examples), sum(example.supervised for example in examples)
    return {
        "tokens": real, "tokens_per_second": round(real / seconds, 1), "supervised_tokens": supervised,
        "supervised_tokens_per_second": round(supervised / seconds, 1), "memory_bytes": psutil.Process().memory_info().rss,
        "row_ids": [example.row_id for example in examples],
    }  # fmt: skip


def trace(context: Context, line_kind: str, **fields: Any) -> None:
    """One line of the run's trace, where it has one."""
    if isinstance(context, ChildContext):
        context.trace(line_kind, **fields)
