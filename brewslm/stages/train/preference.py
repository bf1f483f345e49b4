"""Training by preference: of two answers to a prompt the better one becomes likelier than the worse one."""

from collections.abc import Sequence
from typing import Any

from brewslm.processes.context import Context
from brewslm.stages.train.supervised import Supervised
from brewslm.stages.train.watcher import CheckpointPlan


class Preference(Supervised):
    """Rows become pairs; DPO or ORPO, as the recipe says, lowers their loss.

    The end mark of both answers is supervised: a worse answer that never ends would be told apart by that alone.
    """

    def trainer(self, model: Any, examples: Sequence[Any], dev: Sequence[Any], plan: CheckpointPlan, context: Context) -> Any:
        """TRL's, on packs of pairs."""
        from brewslm.stages.train.preference_trainer import build

        return build(model, self.tokenizer, self.recipe, examples, dev, plan, context, self.experiment_id)
