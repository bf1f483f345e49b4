"""The scorecard: what each system scored on the same rows, what the gates said, and the verdict."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from brewslm.handlers.base import Metric
from brewslm.handlers.eval_pack import GateOutcome
from brewslm.stages.evaluate.subject import Measured


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


class Scorecard(BaseModel):
    """`scorecard.json`.

    Attributes:
        measured: What "tuned" is; None in scorecards of former versions, whose was the experiment itself.
        n: Held-out rows, the same for every system.
        unseen_labels: Labels of the held-out rows that training never saw, with their rows: these can't be right.
        systems: "tuned"; "base" at the better of its two prompts; the handler's baselines by name.
        base_prompts: The base at each prompt.
        paired: The tuned model against each other system, but for a model whose answers were had in another way (`scoring`).
        promotable: Every required gate is met.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: str = "brewslm/scorecard/1"
    experiment_id: str
    base_model: str
    base_sha256: str
    adapter_sha256: str
    manifest_version: int
    manifest_sha256: str
    task_profile: str
    scoring_mode: str
    eval_pack: str
    primary_metric: str
    n: int
    measured: Measured | None = None
    unseen_labels: dict[str, int] = {}
    systems: dict[str, SystemScore]
    base_prompts: dict[str, dict[str, Metric]]
    paired: dict[str, PairedTest]
    gates: list[GateOutcome]
    promotable: bool

    def primary(self, system: str) -> Metric:
        """A system's figure on the primary metric."""
        return self.systems[system].metrics[self.primary_metric]
