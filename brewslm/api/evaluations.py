"""What evaluations found, for those who ask why."""

from typing import Annotated

from fastapi import APIRouter, Query

from brewslm.observe.evaluations import Comparison, ErrorsView, comparison, error_analysis

router = APIRouter(prefix="/api", tags=["evaluations"])


Compared = Annotated[list[str], Query(description="Two to five ids; the others are held against the first.")]


@router.get("/evaluations/compare", operation_id="evaluation.compare")
def compare(evaluation: Compared) -> Comparison:
    """What the second and further evaluations fixed and broke beside the first, row by row."""
    return comparison(evaluation)


@router.get("/evaluations/{evaluation_id}/errors", operation_id="evaluation.errors")
def errors(evaluation_id: str) -> ErrorsView:
    """What the tuned model got wrong, in clusters whose names can be checked."""
    return error_analysis(evaluation_id)
