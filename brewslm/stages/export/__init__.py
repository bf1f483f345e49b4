"""Stage 10, export: a trained model as files that other programs can run, each checked by running it."""

from brewslm.stages.export.job import ExportJob, ExportRequest, ExportResult, project_of, record, resolve
from brewslm.stages.export.run import run

__all__ = ["ExportJob", "ExportRequest", "ExportResult", "project_of", "record", "resolve", "run"]
