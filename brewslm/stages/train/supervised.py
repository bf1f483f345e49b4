"""Supervised training of a causal model: the cross-entropy of each right answer and its end mark."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from brewslm.handlers.examples import tokenise
from brewslm.models.loading import load_tokenizer
from brewslm.models.packing import Packable, shared_prefix
from brewslm.models.templates import end_token_id
from brewslm.processes.context import Context
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason
from brewslm.stages.train import trainer as training
from brewslm.stages.train.adapter import model_to_train
from brewslm.stages.train.guards import end_must_be_supervised
from brewslm.stages.train.objectives import Objective
from brewslm.stages.train.watcher import CheckpointPlan


class Supervised(Objective):
    """On packs: see models/packing.py."""

    @cached_property
    def tokenizer(self) -> Any:
        """Of the base."""
        return load_tokenizer(self.base)

    def examples(self, rows: Sequence[PreparedRow], ledger: LedgerKeeper) -> tuple[list[Packable], list[tuple[str, RowReason]]]:
        """Prompt, answer and end mark of each row."""
        return tokenise(rows, self.handler, self.tokenizer, self.recipe.max_length, ledger)

    def check(self, examples: Sequence[Packable]) -> None:
        """Each answer's end mark is supervised."""
        answers = [answer for row in examples for answer in row.sequences]
        end_must_be_supervised(answers, end_token_id(self.tokenizer), self.experiment_id)

    def largest_pass(self, examples: Sequence[Packable], dev: Sequence[Packable]) -> tuple[int, int]:
        """A pack of the longest rows."""
        prefix = len(shared_prefix([*examples, *dev]))
        own = sorted((row.tokens - prefix * len(row.sequences) for row in examples), reverse=True)
        batch = prefix + sum(own[: self.recipe.batch_size])
        longest = prefix + own[0]
        return max(longest, min(batch, self.recipe.pack_tokens)), longest

    def model(self) -> Any:
        """It attends within rows."""
        return model_to_train(self.base, self.recipe, self.experiment_id)

    def trainer(
        self, model: Any, examples: Sequence[Packable], dev: Sequence[Packable], plan: CheckpointPlan, context: Context
    ) -> Any:
        """transformers' own, on packs."""
        return training.build(model, self.recipe, examples, dev, plan, context, self.experiment_id)
