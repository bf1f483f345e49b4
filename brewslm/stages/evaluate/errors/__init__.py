"""What an evaluation got wrong: error clusters and slices."""

from brewslm.stages.evaluate.errors.analyse import analyse
from brewslm.stages.evaluate.errors.analysis import Cluster, ErrorAnalysis, Exemplar, TraitFigures

__all__ = ["Cluster", "ErrorAnalysis", "Exemplar", "TraitFigures", "analyse"]
