"""A base model, or what an experiment made of it, in memory and ready to be asked."""

from collections.abc import Callable
from pathlib import Path

from brewslm.models.architectures import architecture_for
from brewslm.models.catalogue import BaseModelInfo
from brewslm.models.loading import Precision, load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.prompt import Predictor
from brewslm.models.templates import Style
from brewslm.rows.manifest import OutputSchema

CAUSAL_STYLES: tuple[Style, ...] = ("chat", "plain")


class LoadedModel:
    """Weights in memory.

    Args:
        schema: Of the manifest: a head is as wide as it has labels.
        trained: An experiment's weights; None for the base alone.
    """

    def __init__(
        self, base: BaseModelInfo, schema: OutputSchema, trained: Path | None = None, precision: Precision = "bf16"
    ) -> None:
        self._architecture = None
        if base.architecture == "causal":
            self._model, self._tokenizer = load_model(base.folder, trained, precision), load_tokenizer(base.folder)
        else:
            self._architecture = architecture_for(base.architecture, base.folder, schema)
            self._model = self._architecture.load(trained, precision)

    @property
    def styles(self) -> tuple[Style | None, ...]:
        """Ways to put a prompt to it; None where there is only one."""
        return CAUSAL_STYLES if self._architecture is None else (None,)

    def predictor(self, style: Style | None = None, on_done: Callable[[int], None] | None = None) -> Predictor:
        """Whoever asks it. As trained, a causal model is asked by its chat template."""
        if self._architecture is not None:
            return self._architecture.predictor(self._model, on_done)
        return WeightsPredictor(self._model, self._tokenizer, style or "chat", on_done)
