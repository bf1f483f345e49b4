"""Stage 9, evaluate: the tuned model beside its base and cheap baselines, on the held-out rows."""

from brewslm.stages.evaluate.job import EvaluateJob, EvaluateRequest, EvaluateResult, project_of, record, resolve
from brewslm.stages.evaluate.live import LiveJob, LiveRows, Said, ask_live, live_job, live_rows
from brewslm.stages.evaluate.run import run
from brewslm.stages.evaluate.scorecard import Scorecard, SystemScore

__all__ = [
    "EvaluateJob",
    "EvaluateRequest",
    "EvaluateResult",
    "LiveJob",
    "LiveRows",
    "Said",
    "Scorecard",
    "SystemScore",
    "ask_live",
    "live_job",
    "live_rows",
    "project_of",
    "record",
    "resolve",
    "run",
]
