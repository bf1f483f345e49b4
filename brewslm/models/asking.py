"""A base model, or what an experiment made of it, in memory and ready to be asked."""

from pathlib import Path

from brewslm.models.architectures import architecture_for
from brewslm.models.catalogue import BaseModelInfo
from brewslm.models.decoding import ROWS
from brewslm.models.loading import Precision, load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.prompt import Labelling, Listener, TellingPredictor
from brewslm.models.templates import Style
from brewslm.rows.manifest import OutputSchema

CAUSAL_STYLES: tuple[Style, ...] = ("chat", "plain")


def styles_of(base: BaseModelInfo) -> tuple[Style | None, ...]:
    """Ways to put a prompt to a model; None where there is only one."""
    return CAUSAL_STYLES if base.architecture == "causal" else (None,)


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
            from brewslm.models.kernels.arranged import arrange

            self._model, self._tokenizer = load_model(base.folder, trained, precision), load_tokenizer(base.folder)
            arrange(self._model, ROWS)
        else:
            self._architecture = architecture_for(base.architecture, base.folder, schema)
            self._model = self._architecture.load(trained, precision)

    def predictor(
        self, style: Style | None = None, on_answers: Listener | None = None, labelling: Labelling = "label_log_probability"
    ) -> TellingPredictor:  # fmt: skip
        """Whoever asks it. As trained, a causal model is asked by its chat template."""
        if self._architecture is not None:
            return self._architecture.predictor(self._model, on_answers)
        return WeightsPredictor(self._model, self._tokenizer, style or "chat", on_answers, labelling)
