"""row.forget: a row's text is removed wherever it lies in a project; who it was stays, and so do the books."""

from brewslm.pipeline.forget.finding import ForgetPlan, Saw, plan, project_holding
from brewslm.pipeline.forget.operation import ForgetJob, ForgetRequest, ForgetResult, after, project_of, record, resolve, run

__all__ = [
    "ForgetJob",
    "ForgetPlan",
    "ForgetRequest",
    "ForgetResult",
    "Saw",
    "after",
    "plan",
    "project_holding",
    "project_of",
    "record",
    "resolve",
    "run",
]
