"""A read-only view of the eval packs, and of what their gates may name."""

from pydantic import BaseModel

from brewslm import presets
from brewslm.errors import StageError, did_you_mean
from brewslm.handlers import HANDLERS
from brewslm.handlers.eval_pack import BASE, BEST, FEW_SHOT, EvalPack, load_eval_pack
from brewslm.reasons.refusals import InvalidRequest


class EvalPackView(BaseModel):
    """One pack of the presets.

    Attributes:
        promotes: False of a pack for tries.
        gates: How many there are, by task profile.
    """

    pack_id: str
    display_name: str
    description: str
    version: str
    tags: list[str]
    confidence: float
    promotes: bool
    gates: dict[str, int]


class GateNames(BaseModel):
    """What the gates of one handler may name.

    Attributes:
        class_metrics: With a `class_id`.
        systems: For `better_than` and `no_worse_than`.
    """

    task_profile: str
    scoring_mode: str
    primary_metric: str
    lower_is_better: bool
    metrics: list[str]
    class_metrics: list[str]
    systems: list[str]


def eval_packs(task_profile: str | None = None) -> list[EvalPackView]:
    """Every pack of the presets, or those that have gates for a task profile."""
    packs = [load_eval_pack(name) for name in presets.names("eval_packs")]
    views = [
        EvalPackView(
            pack_id=pack.pack_id, display_name=pack.display_name, description=pack.description, version=pack.version,
            tags=list(pack.tags), confidence=pack.confidence, promotes=pack.promotes,
            gates={spec.task_profile: len(spec.gates) for spec in pack.task_specs},
        )
        for pack in packs
    ]  # fmt: skip
    return [view for view in views if task_profile is None or task_profile in view.gates]


def eval_pack(name: str) -> EvalPack:
    """One pack, checked: of the presets by its name, or of your own by its path.

    Raises:
        StageError(EvalPackInvalid): There is none, or it can't be used.
    """
    return load_eval_pack(name)


def gate_names(task_profile: str) -> list[GateNames]:
    """What gates of a task profile may name, for each of its scoring modes.

    Raises:
        StageError(InvalidRequest): There is no such task profile.
    """
    if task_profile not in HANDLERS:
        raise StageError(
            InvalidRequest(), f"there is no task profile {task_profile}", cause=did_you_mean(task_profile, HANDLERS)
        )  # fmt: skip
    return [
        GateNames(
            task_profile=task_profile, scoring_mode=kind.scoring_mode, primary_metric=kind.primary_metric,
            lower_is_better=kind.lower_is_better, metrics=sorted(kind.metric_ids), class_metrics=sorted(kind.class_metric_ids),
            systems=[BASE, FEW_SHOT, BEST, *sorted(kind.baseline_ids)],
        )
        for kind in HANDLERS[task_profile]
    ]  # fmt: skip
