"""What training makes of rows, and what trains on them. Whatever a kind of training does in its own way stands behind this."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from brewslm.errors import StageError
from brewslm.handlers.base import TaskHandler
from brewslm.models.catalogue import BaseModelInfo
from brewslm.models.packing import Trainable
from brewslm.models.recipe import RECIPE_STEP, Recipe
from brewslm.processes.context import Context
from brewslm.reasons.training import TrainingDispatchError
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason
from brewslm.stages.train.watcher import CheckpointPlan


class Objective(ABC):
    """One kind of training. Order, checkpoints, trace, dev loss and the guards of each step are the same for all.

    Attributes:
        base: The base model's folder.
    """

    def __init__(self, handler: TaskHandler, base: BaseModelInfo, recipe: Recipe, experiment_id: str) -> None:
        self.handler, self.base, self.recipe, self.experiment_id = handler, base.folder, recipe, experiment_id
        self.architecture = base.architecture

    @abstractmethod
    def examples(
        self, rows: Sequence[PreparedRow], ledger: LedgerKeeper
    ) -> tuple[Sequence[Trainable], list[tuple[str, RowReason]]]:
        """Every row as something to train on, or as (row_id, reason); the ledger counts them."""

    @abstractmethod
    def check(self, examples: Sequence[Any]) -> None:
        """What must be true of the examples, train and dev, before a step is taken.

        Raises:
            StageError(TrainingRuntimeError): A guard; the row is named.
        """

    @abstractmethod
    def largest_pass(self, examples: Sequence[Any], dev: Sequence[Any]) -> tuple[int, int]:
        """Tokens of the largest forward pass, at most; and of the longest row, below which no pass can be made smaller."""

    @abstractmethod
    def model(self) -> Any:
        """The base with what the recipe's method trains of it.

        Raises:
            StageError(TrainingDispatchError): The method needs a library that is not there.
        """

    @abstractmethod
    def trainer(self, model: Any, examples: Sequence[Any], dev: Sequence[Any], plan: CheckpointPlan, context: Context) -> Any:
        """A Trainer of transformers, or of TRL, that is ready to `train()`; see `trainer.build`."""


def objective_for(handler: TaskHandler, base: BaseModelInfo, recipe: Recipe, experiment_id: str) -> Objective:
    """That of a handler.

    Raises:
        StageError(TrainingDispatchError): The recipe is for another kind of rows.
    """
    from brewslm.stages.train.batches import Batches
    from brewslm.stages.train.preference import Preference
    from brewslm.stages.train.supervised import Supervised

    if not recipe.suits(handler.objective):
        reason = TrainingDispatchError(experiment_id=experiment_id, error="recipe_objective", blockers=["recipe_objective"])
        cause = f"{handler.profile} is trained by {handler.objective}, and the recipe says {recipe.objective}"
        raise StageError(reason, "The recipe does not suit these rows", cause=cause, next_step=RECIPE_STEP[handler.objective])
    supervised = Supervised if base.architecture == "causal" else Batches
    made: dict[str, type[Objective]] = {"supervised": supervised, "preference": Preference}
    return made[handler.objective](handler, base, recipe, experiment_id)
