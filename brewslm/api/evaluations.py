"""What evaluations found, for those who ask why."""

from typing import Annotated

from fastapi import APIRouter, Query

from brewslm.observe.answers import PAGE as ANSWERS
from brewslm.observe.answers import AnswersPage, answers
from brewslm.observe.evaluations import SYSTEM, Comparison, ErrorsView, comparison, error_analysis
from brewslm.observe.scorecards import PAGE, EvaluationsPage, ScorecardView, evaluations, scorecard_of

router = APIRouter(prefix="/api", tags=["evaluations"])


Limit = Annotated[int, Query(ge=1, le=500)]
Compared = Annotated[list[str], Query(description="Two to five ids; the others are held against the first.")]


@router.get("/projects/{project}/evaluations", operation_id="evaluation.list")
def listed(project: int, before: int | None = None, limit: Limit = PAGE) -> EvaluationsPage:
    """A project's evaluations, newest first; `before` is `older` of the page above."""
    return evaluations(project, before, limit)


@router.get("/evaluations/compare", operation_id="evaluation.compare")
def compare(evaluation: Compared) -> Comparison:
    """What the second and further evaluations fixed and broke beside the first, row by row."""
    return comparison(evaluation)


@router.get("/evaluations/{evaluation_id}/errors", operation_id="evaluation.errors")
def errors(evaluation_id: str) -> ErrorsView:
    """What the tuned model got wrong, in clusters whose names can be checked."""
    return error_analysis(evaluation_id)


@router.get("/evaluations/{evaluation_id}/scorecard", operation_id="evaluation.scorecard")
def scorecard(evaluation_id: str) -> ScorecardView:
    """Every system's figures with their intervals, the gates, and the verdict."""
    return scorecard_of(evaluation_id)


@router.get("/evaluations/{evaluation_id}/answers", operation_id="evaluation.answers")
def answered(
    evaluation_id: str,
    system: str = SYSTEM,
    verdict: Annotated[str | None, Query(description="right, wrong or unusable.")] = None,
    expected: str | None = None,
    output: str | None = None,
    cluster: Annotated[str | None, Query(description="Of its errors, such as c1.")] = None,
    start: Annotated[int, Query(ge=0)] = 0,
    limit: Limit = ANSWERS,
) -> AnswersPage:
    """What a system answered, row by row."""
    return answers(
        evaluation_id, system, verdict=verdict, expected=expected, output=output, cluster=cluster, start=start, limit=limit
    )
