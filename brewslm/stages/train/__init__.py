"""Stage 8, train: a LoRA adapter on the manifest's rows."""

from brewslm.models.recipe import Recipe, recipe_named
from brewslm.stages.train.job import TrainJob, TrainRequest, TrainResult, record, resolve

__all__ = ["Recipe", "TrainJob", "TrainRequest", "TrainResult", "recipe_named", "record", "resolve"]
