"""prepare.run and manifest.activate, stage 6: freeze the project's rows as a data manifest, the source of truth after it."""

from brewslm.stages.prepare.activate import ActivateRequest, activate
from brewslm.stages.prepare.job import PrepareJob, PrepareRequest, PrepareResult, resolve
from brewslm.stages.prepare.run import record, run

__all__ = [
    "ActivateRequest",
    "PrepareJob",
    "PrepareRequest",
    "PrepareResult",
    "activate",
    "record",
    "resolve",
    "run",
]
