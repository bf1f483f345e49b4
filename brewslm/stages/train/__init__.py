"""Stage 8, train: an adapter, or every weight, on the manifest's rows."""

from brewslm.models.recipe import Recipe, recipe_named
from brewslm.stages.train.job import TrainJob, TrainRequest, TrainResult, record, resolve
from brewslm.stages.train.reproduce import ReproduceJob, ReproduceRequest, ReproduceResult

__all__ = [
    "Recipe",
    "ReproduceJob",
    "ReproduceRequest",
    "ReproduceResult",
    "TrainJob",
    "TrainRequest",
    "TrainResult",
    "recipe_named",
    "record",
    "resolve",
]
