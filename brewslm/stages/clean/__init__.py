"""Stage 5: the project's documents → cleaned text, chunks, and what was found in each document."""

from brewslm.stages.clean.job import CleanJob, CleanRequest, CleanResult, PresetName, resolve
from brewslm.stages.clean.personal import Policy
from brewslm.stages.clean.record import record
from brewslm.stages.clean.report import DocumentReport
from brewslm.stages.clean.run import run

__all__ = ["CleanJob", "CleanRequest", "CleanResult", "DocumentReport", "Policy", "PresetName", "record", "resolve", "run"]
