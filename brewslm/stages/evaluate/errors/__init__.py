"""What an evaluation got wrong: error clusters and slices."""

from brewslm.stages.evaluate.errors.analyse import analyse
from brewslm.stages.evaluate.errors.analysis import Cluster, ErrorAnalysis, Exemplar, TraitFigures
from brewslm.stages.evaluate.errors.slices import SliceFigures, SliceReport, slice_report

__all__ = ["Cluster", "ErrorAnalysis", "Exemplar", "SliceFigures", "SliceReport", "TraitFigures", "analyse", "slice_report"]
