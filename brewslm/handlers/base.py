"""What a task handler is: how a row is asked, what a right answer is, and how answers are scored."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from brewslm.handlers.faults import Fault, Rank, problem_faults
from brewslm.media import MediaKind
from brewslm.metrics.figure import Figure
from brewslm.metrics.grounding import Vectors
from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.prompt import Predictor, Prompt
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.rows.reasons import RowReason

Objective = Literal["supervised", "preference"]


class Prediction(BaseModel):
    """What a model answered on one row.

    Attributes:
        output: The label, the answer's text, or the list of spans [{type, start, end, text}].
        scores: Label to probability, summing to 1; {} where the predictor gives none.
        raw: The generated text, where text was generated.
        problems: Count by kind of what could not be used, such as {"unaligned": 2, "invalid_json": 1}.
        log_likelihood: Natural log-probability that the model gives to the right answer, or to the text; None where not asked.
        tokens: How many tokens that is of.
        figures: What else was measured on the row, by name, such as an answer's log-probability.
    """

    model_config = ConfigDict(frozen=True)

    row_id: str
    output: Any
    scores: dict[str, float] = {}
    raw: str | None = None
    problems: dict[str, int] = {}
    log_likelihood: float | None = None
    tokens: int | None = None
    figures: dict[str, float] = {}


class Metric(BaseModel):
    """A figure with its 95 % interval, both in the metric's own unit; n is the number of rows behind it."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, figure: Figure) -> Self:
        """A figure as a number."""
        value, low, high = figure.at()
        return cls(value=value, low=low, high=high, n=figure.n)


class Scores(BaseModel):
    """What `score` gives: metrics by id, and details (per class, counts) that a page may show.

    Attributes:
        row_correct: Per row, in order, whether it was wholly right: for paired tests and error clusters.
        figures: Each metric with what every row counts for it: for gates, slices and paired tests. Not written down.
        by_class: The same of each class, by its name.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    metrics: dict[str, Metric]
    details: dict[str, Any] = {}
    row_correct: list[bool]
    figures: dict[str, Figure] = Field(default={}, exclude=True)
    by_class: dict[str, dict[str, Figure]] = Field(default={}, exclude=True)

    @classmethod
    def of(
        cls,
        figures: Mapping[str, Figure],
        row_correct: list[bool],
        details: Mapping[str, Any] | None = None,
        by_class: Mapping[str, Mapping[str, Figure]] | None = None,
    ) -> Self:
        """Scores of figures; one that no row counts for is left out."""
        known = {name: figure for name, figure in figures.items() if figure.n}
        return cls(
            metrics={name: Metric.of(figure) for name, figure in known.items()}, details=dict(details or {}),
            row_correct=row_correct, figures=known, by_class={name: dict(own) for name, own in (by_class or {}).items()},
        )  # fmt: skip

    def gaining(self, more: Mapping[str, Figure]) -> Self:
        """The same with further figures."""
        grown = type(self).of(self.figures | dict(more), self.row_correct, self.details, self.by_class)
        return grown.model_copy(update={"metrics": self.metrics | grown.metrics})


class TaskHandler(ABC):
    """One task profile. A handler is pure: it knows neither files nor models, only rows and a predictor.

    Args:
        schema: The manifest's output schema.
    """

    profile: ClassVar[str]
    scoring_mode: ClassVar[str]
    input_field: ClassVar[str]
    """The payload's field that is asked; the others hold the right answer."""
    media: ClassVar[MediaKind | None] = None
    """The kind of file that the input field holds, instead of a text."""
    also_asked: ClassVar[tuple[str, ...]] = ()
    """Further fields that the prompt reads, such as the context of a question: they too are known when a model is served."""
    objective: ClassVar[Objective] = "supervised"
    """What training lowers: the loss of the right answer, or how little a better answer is preferred to a worse one."""
    architectures: ClassVar[frozenset[ArchitectureName]] = frozenset({"causal"})
    """Kinds of model that can be trained on these rows."""
    every_turn: ClassVar[bool] = False
    """Whether each assistant turn of the prompt is supervised too, not the completion alone."""
    measures_given_texts: ClassVar[bool] = False
    """Whether all its figures come from the probabilities of texts that the rows hold, which weights alone can tell."""
    asks_per_row: ClassVar[int] = 1
    """How many questions `predict` puts to the predictor about a row that has its right answer."""
    primary_metric: ClassVar[str]
    lower_is_better: ClassVar[bool] = False
    """Of the primary metric, such as a perplexity or an error rate."""
    metric_ids: ClassVar[frozenset[str]]
    """Every metric that `score` and `gained` emit: gates are held against it."""
    class_metric_ids: ClassVar[frozenset[str]] = frozenset()
    """Those that are there of each class too."""
    by_vectors_ids: ClassVar[frozenset[str]] = frozenset()
    """Those that `by_vectors` gives."""
    baseline_ids: ClassVar[frozenset[str]] = frozenset()
    """Every name that `baselines` gives."""

    def __init__(self, schema: OutputSchema) -> None:
        self.schema = schema

    def check(self, payload: dict[str, Any]) -> RowReason | None:
        """Why a row can't be served, None where it can: prepare rejects the others. The schema is not known by then."""
        return None

    def question(self, payload: dict[str, Any]) -> str:
        """What is asked, as one text that stands for it; "" where the payload can't be asked."""
        text = payload.get(self.input_field)
        return text if isinstance(text, str) and text.strip() else ""

    @abstractmethod
    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """How a row is asked: the same words in training, evaluation, smoke check and deployment."""

    def live_prompt(self, payload: dict[str, Any]) -> Prompt:
        """How an exported or served model, which takes messages alone, is asked about a row when it is checked."""
        return self.prompt(payload)

    @abstractmethod
    def completion(self, payload: dict[str, Any]) -> str:
        """The right answer as the model should write it, without any end mark."""

    def worse(self, payload: dict[str, Any]) -> str:
        """The answer that is not preferred, where the objective is preference."""
        raise NotImplementedError

    @abstractmethod
    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """The model's answer on each row, in order. The right answers are not looked at."""

    @abstractmethod
    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Metrics with 95 % intervals."""

    def gained(self, rows: Sequence[PreparedRow], tuned: Sequence[Prediction], base: Sequence[Prediction]) -> dict[str, Figure]:
        """Figures of a tuned model that want its base's predictions beside its own, both asked in the same way."""
        return {}

    def classes(self) -> list[str]:
        """The classes that gates may name: labels, types of entities, or fields."""
        return [*self.schema.labels, *self.schema.entity_types, *self.schema.fields]

    def classes_of(self, payload: dict[str, Any]) -> set[str]:
        """The classes that a row's right answer has."""
        return set()

    def by_vectors(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction], vectors: Vectors) -> dict[str, Figure]:
        """Metrics that want sentences as vectors, which an eval pack may ask for."""
        return {}

    def expected(self, payload: dict[str, Any]) -> Any:
        """The right answer in the form of `Prediction.output`."""
        return self.completion(payload)

    def faults(self, payload: dict[str, Any], prediction: Prediction) -> list[Fault]:
        """What is wrong with an answer, for error clusters; [] where nothing is."""
        other = [] if prediction.output == self.expected(payload) else [Fault("wrong", (), Rank.GENERAL)]
        return [*problem_faults(prediction.problems), *other]

    def stratum(self, payload: dict[str, Any]) -> str:
        """Which rows a wrong one is held against: those whose right answer is of the same sort. "" holds all against all."""
        return ""

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """Cheap ways to answer the same rows, by name: what a language model has to beat."""
        return {}
