"""The scorecard: what each system scored on the same rows, what the gates said, and the verdict."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, computed_field

from brewslm.handlers.base import Metric
from brewslm.handlers.gates import GateOutcome
from brewslm.stages.evaluate.judging import JudgeReport
from brewslm.stages.evaluate.subject import Measured

SCHEMA: Literal["brewslm/scorecard/2"] = "brewslm/scorecard/2"


class Speed(BaseModel):
    """How fast a model answered, all attempts of the evaluation together.

    Attributes:
        tokens_per_second: That were written; None where nothing was.
        latency_p50_seconds, latency_p95_seconds: From when a row was begun until its answer was there, among others in a batch:
            half of the rows took no longer, and 95 %.
    """

    model_config = ConfigDict(frozen=True)

    rows_per_second: float
    tokens_per_second: float | None
    latency_p50_seconds: float
    latency_p95_seconds: float


class SystemScore(BaseModel):
    """One system on the held-out rows.

    Attributes:
        prompt: How a language model was asked; None for a baseline.
        shots: How many right answers from train stood in its prompt; `shot_rows` are their ids.
        scoring: How its answers were had (`models.prompt.Scoring`), which is part of what its figures mean: figures of models
            that were scored in two ways are not compared. None for a baseline, and in scorecards of former versions.
        template_sha256: Of the chat template; "" where none was used, or it isn't known.
        correct: Rows that were wholly right.
        details: What the handler shows beside its metrics, such as per_class.
        seconds: Time it took to answer.
        speed: None for a baseline.
    """

    model_config = ConfigDict(frozen=True)

    prompt: Literal["chat", "plain"] | None
    shots: int = 0
    shot_rows: list[str] = []
    scoring: str | None = None
    template_sha256: str = ""
    metrics: dict[str, Metric]
    correct: int
    details: dict[str, Any]
    seconds: float
    speed: Speed | None = None


class PairedTest(BaseModel):
    """Tuned against another system, row by row: McNemar's exact test.

    Attributes:
        wins: Rows that only the tuned model had right.
        losses: Rows that only the other had right.
    """

    model_config = ConfigDict(frozen=True)

    wins: int
    losses: int
    p_value: float


class Power(BaseModel):
    """The smallest true differences of the primary metric that these rows tell, in its own unit.

    Attributes:
        confidence: One-sided, as a gate's: so often is nothing told where nothing is.
        power: So often is a difference of this size told.
        from_threshold: Of the tuned model from a fixed figure.
        from_system: From `system`, asked the same rows; None where there was none.
    """

    model_config = ConfigDict(frozen=True)

    metric_id: str
    n: int
    confidence: float
    power: float
    from_threshold: float
    from_system: float | None
    system: str | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sentence(self) -> str:
        """For a person."""
        times = f"{100 * self.confidence:.0f} % sure, {100 * self.power:.0f} % of the time"
        apart = f"{100 * self.from_threshold:.1f} points from a threshold"
        if self.from_system is not None:
            apart = f"{100 * self.from_system:.1f} points between tuned and {self.system}, {apart}"
        return f"{self.n:,} rows can tell {apart} ({times})"


class Scorecard(BaseModel):
    """`scorecard.json`.

    Attributes:
        judge: What judged, where one was asked, and how far it agrees with labels; its figure is among the metrics.
        rows_from: "eval", the manifest's eval split, or "gold support@2".
        rows_sha256: Of the manifest, or of the locked gold set.
        measured: What "tuned" is; None in scorecards of former versions, whose was the experiment itself.
        n: Held-out rows, the same for every system.
        unseen_labels: Labels of the held-out rows that training never saw, with their rows: these can't be right.
        systems: "tuned"; "base" at the better of its two prompts; "few_shot_base" at that prompt with right answers before it,
            where the model takes them; the handler's baselines by name.
        eval_pack: The pack's id; pack_version: as the pack says.
        pack_promotes: Whether passing the pack lets a model be promoted.
        power: What the rows can tell.
        base_prompts: The base at each prompt.
        paired: The tuned model against each other system, but for a model whose answers were had in another way (`scoring`).
        promotable: Every required gate is met, of a pack that promotes.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal["brewslm/scorecard/2"] = SCHEMA
    experiment_id: str
    base_model: str
    base_sha256: str
    adapter_sha256: str
    manifest_version: int
    manifest_sha256: str
    task_profile: str
    scoring_mode: str
    eval_pack: str
    pack_version: str = "1"
    pack_promotes: bool = True
    judge: JudgeReport | None = None
    primary_metric: str
    rows_from: str = "eval"
    rows_sha256: str = ""
    n: int
    measured: Measured | None = None
    unseen_labels: dict[str, int] = {}
    systems: dict[str, SystemScore]
    base_prompts: dict[str, dict[str, Metric]]
    paired: dict[str, PairedTest]
    power: Power
    gates: list[GateOutcome]
    promotable: bool

    @property
    def only_tried(self) -> bool:
        """Every required gate is met, of a pack that promotes nothing."""
        return not self.pack_promotes and all(gate.met for gate in self.gates if gate.required)

    def primary(self, system: str) -> Metric:
        """A system's figure on the primary metric."""
        return self.systems[system].metrics[self.primary_metric]
