"""The scorecard: what each system scored on the same rows, what the gates said, and the verdict."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from brewslm.handlers.base import Metric
from brewslm.handlers.eval_pack import GateOutcome


class SystemScore(BaseModel):
    """One system on the held-out rows.

    Attributes:
        prompt: How a language model was asked; None for a baseline.
        correct: Rows that were wholly right.
        details: What the handler shows beside its metrics, such as per_class.
        seconds: Time it took to answer.
    """

    model_config = ConfigDict(frozen=True)

    prompt: Literal["chat", "plain"] | None
    metrics: dict[str, Metric]
    correct: int
    details: dict[str, Any]
    seconds: float


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
        n: Held-out rows, the same for every system.
        systems: "tuned"; "base" at the better of its two prompts; the handler's baselines by name.
        base_prompts: The base at each prompt.
        paired: The tuned model against each other system.
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
    systems: dict[str, SystemScore]
    base_prompts: dict[str, dict[str, Metric]]
    paired: dict[str, PairedTest]
    gates: list[GateOutcome]
    promotable: bool

    def primary(self, system: str) -> Metric:
        """A system's figure on the primary metric."""
        return self.systems[system].metrics[self.primary_metric]
