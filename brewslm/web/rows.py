"""/ui/projects/{id}/rows: every row of the project, a page at a time; what is shown stands in the address."""

from typing import Annotated, Any
from urllib.parse import urlencode

import anyio
from fastapi import Query
from pydantic import ValidationError

from brewslm.errors import StageError
from brewslm.observe.fault_words import fault_words
from brewslm.observe.figures import counted
from brewslm.observe.row_facets import RowFacets, row_facets
from brewslm.observe.row_filter import RowFilter, RowStatus
from brewslm.observe.row_pages import RowItem, RowPage, row_page
from brewslm.reasons.refusals import InvalidRequest
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, box, link
from brewslm.web.pieces import Column, empty, pager, reason_chip, table, title_row
from brewslm.web.row_filter_form import filter_card
from brewslm.web.row_text import row_text
from brewslm.web.words import Sign

STATUS_SIGNS = {
    "counts": Sign("done", "counts"), "rejected": Sign("needs", "rejected"), "undone": Sign("idle", "undone"),
    "train": Sign("done", "train"), "dev": Sign("done", "dev"), "eval": Sign("done", "eval"), "gold": Sign("done", "gold"),
}  # fmt: skip


async def page(
    project: str,
    status: str | None = None,
    reason: str | None = None,
    manifest: str | None = None,
    split: str | None = None,
    label: str | None = None,
    text: str | None = None,
    field: str | None = None,
    after: str | None = None,
    before: str | None = None,
    import_run: Annotated[str | None, Query(alias="import")] = None,
) -> None:
    """The list."""
    here = await opened(project)
    found = here.project
    asked = asked_for(
        status=status, reason=reason, manifest=manifest, split=split, label=label, text=text, field=field,
        import_run=import_run,
    )  # fmt: skip
    shown, facets = await anyio.to_thread.run_sync(_see, found.id, asked, after, before)
    with here.frame("Rows", ("Data", f"/projects/{found.id}/data")):
        with title_row("Rows", line(facets, asked)):
            link("Data", f"/projects/{found.id}/data", "button")
        filter_card(found.id, asked, facets)
        with box("section", "card", aria_label="Rows"):
            _rows(found.id, asked, shown)


def asked_for(**query: str | None) -> RowFilter:
    """The query of an address.

    Raises:
        StageError(InvalidRequest): A value is not one that can be asked for.
    """
    try:
        return RowFilter.model_validate({name: value for name, value in query.items() if value})
    except ValidationError as error:
        said = "; ".join(": ".join([*map(str, each["loc"]), fault_words(each)]) for each in error.errors())
        raise StageError(InvalidRequest(), "The rows can't be shown so", cause=said, next_step="Choose a filter.") from error


def address(project: int, asked: RowFilter, **changes: Any) -> str:
    """The address of another view: these filters with the changes, and no cursor but one that is named."""
    kept = asked.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True) | changes
    query = urlencode({name: str(value) for name, value in kept.items() if value is not None})
    return f"/projects/{project}/rows" + (f"?{query}" if query else "")


def line(facets: RowFacets, asked: RowFilter) -> str:
    """Where they stand, in one line."""
    whose = f" of {asked.import_run}" if asked.import_run and asked.manifest is None else ""
    return " · ".join(counted(facets.statuses[name], *said) for name, said in _SAID.items()) + whose


_SAID: dict[RowStatus, tuple[str, str]] = {
    "counts": ("row counts", "rows count"), "rejected": ("rejected", "rejected"), "undone": ("undone", "undone"),
}  # fmt: skip


def _see(project: int, asked: RowFilter, after: str | None, before: str | None) -> tuple[RowPage, RowFacets]:
    return row_page(project, asked, after or None, before or None), row_facets(project, asked.import_run)


def _rows(project: int, asked: RowFilter, shown: RowPage) -> None:
    if not shown.rows:
        if asked == RowFilter():
            empty("No row counts in this project yet.", "Import dataset (auto-mapping)", f"/projects/{project}/data?new=1")
        else:
            empty("No row fits.", "Show the rows that count", f"/projects/{project}/rows")
        return
    columns = [
        Column[RowItem]("Row", _name, "mono"),
        Column("Says", lambda row: row_text(row, asked.text), "row-says"),
        Column("Label", lambda row: ", ".join(row.labels)),
        Column("State", lambda row: _state(row, project)),
        Column("Import", lambda row: _import(row, project), "mono"),
    ]
    if not any(row.labels for row in shown.rows):
        del columns[2]
    table("Rows", columns, shown.rows)
    last = shown.first + len(shown.rows) - 1
    of = f" of {shown.total:,}" if shown.total is not None else ""
    entries = [("First", address(project, asked))] if shown.previous else []
    entries += [("Previous", address(project, asked, before=shown.previous))] if shown.previous else []
    entries += [("Next", address(project, asked, after=shown.next))] if shown.next else []
    pager(f"{shown.first:,}–{last:,}{of}", entries)


def _name(row: RowItem) -> None:
    link(row.row_id, f"/rows/{row.row_id}")


def _state(row: RowItem, project: int) -> str | None:
    if row.reason:
        reason_chip(row.reason)
        return row.detail or None
    Badge(STATUS_SIGNS[row.status])
    return None


def _import(row: RowItem, project: int) -> str | None:
    if row.import_run is None:
        return ""
    link(row.import_run, f"/projects/{project}/events?run={row.import_run}")
    return None
