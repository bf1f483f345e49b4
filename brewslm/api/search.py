"""Search, as the command palette does it."""

from typing import Annotated

from fastapi import APIRouter, Query

from brewslm.observe.search import Hit, search

router = APIRouter(prefix="/api", tags=["search"])


@router.get("/search", operation_id="search.find")
def find(text: Annotated[str, Query(max_length=200)] = "", project: int | None = None) -> list[Hit]:
    """Projects, runs, deployments, rows by id, and reason codes that hold every word; at most six of each kind."""
    return search(text, project)
