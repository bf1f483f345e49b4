"""Training runs, a page at a time; what a training may be told; and the steps of one with their rows."""

from typing import Annotated

from fastapi import APIRouter, Query

from brewslm.api.uploads import readable_path
from brewslm.observe.trace import STEPS, StepsPage, trace_steps
from brewslm.observe.training_offer import TrainingOffer, training_offer
from brewslm.observe.trainings import PAGE, TrainingsPage, trainings

router = APIRouter(prefix="/api", tags=["training"])

MOST = 2**63 - 1
Before = Annotated[int | None, Query(ge=1, le=MOST, description="Those with a smaller number: `older` of a page.")]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/projects/{project}/training", operation_id="train.list")
def listed(project: int, before: Before = None, limit: Limit = PAGE) -> TrainingsPage:
    """Training runs, newest first: what each was told, its loss, and its newest measurement."""
    return trainings(project, before, limit)


@router.get("/projects/{project}/training/offer", operation_id="train.offer")
def offer(
    project: int,
    manifest: Annotated[int | None, Query(ge=1, le=MOST)] = None,
    base_model: str | None = None,
    recipe: str | None = None,
) -> TrainingOffer:
    """What may be chosen for a training beside these choices: manifests, base models, recipes, eval packs, and each setting."""
    base = readable_path(base_model) if base_model else None
    return training_offer(project, manifest=manifest, base_model=base, recipe=recipe)


@router.get("/experiments/{experiment_id}/steps", operation_id="experiment.steps")
def steps(experiment_id: str, before: Before = None, limit: Limit = STEPS) -> StepsPage:
    """Optimizer steps, newest first: their figures, and the ids of the rows that each learned from."""
    return trace_steps(experiment_id, before, limit)
