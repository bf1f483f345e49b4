"""A project's rows, a page at a time."""

from typing import Annotated

from fastapi import APIRouter, Query

from brewslm.api.work import asked
from brewslm.observe.row_facets import RowFacets, row_facets
from brewslm.observe.row_filter import RowFilter, RowStatus, Split
from brewslm.observe.row_pages import PAGE, RowPage, row_page

router = APIRouter(prefix="/api", tags=["data"])

ImportRun = Annotated[str | None, Query(alias="import", description="Rows of this import alone, such as import-7.")]
Cursor = Annotated[str | None, Query(description="`next` or `previous` of a page.")]


@router.get("/projects/{project}/rows", operation_id="row.list")
def listed(
    project: int,
    status: RowStatus = "counts",
    import_run: ImportRun = None,
    reason: str | None = None,
    manifest: Annotated[int | None, Query(ge=1)] = None,
    split: Split | None = None,
    label: str | None = None,
    text: str | None = None,
    field: str | None = None,
    after: Cursor = None,
    before: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
) -> RowPage:
    """Rows of imports; with `manifest`, rows as that version has put them. Oldest first."""
    wanted = asked(
        RowFilter, status=status, import_run=import_run, reason=reason, manifest=manifest, split=split, label=label, text=text,
        field=field,
    )  # fmt: skip
    return row_page(project, wanted, after=after, before=before, limit=limit)


@router.get("/projects/{project}/rows/facets", operation_id="row.facets")
def facets(project: int, import_run: ImportRun = None) -> RowFacets:
    """How many rows have which status, reason, label, import, and split of which manifest."""
    return row_facets(project, import_run)
