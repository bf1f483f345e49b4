"""Stage 7, preflight: whether this training can work here, said before it starts."""

from brewslm.stages.preflight.finding import Finding
from brewslm.stages.preflight.job import PreflightJob, PreflightRequest, PreflightResult, Probe, record, resolve
from brewslm.stages.preflight.model import TRAINABLE
from brewslm.stages.preflight.plan import TrainPlan
from brewslm.stages.preflight.plans import PlanOffer
from brewslm.stages.preflight.run import planned_recipe, run

__all__ = [
    "TRAINABLE",
    "Finding",
    "PlanOffer",
    "PreflightJob",
    "PreflightRequest",
    "PreflightResult",
    "Probe",
    "TrainPlan",
    "planned_recipe",
    "record",
    "resolve",
    "run",
]
