"""/ui/projects/{id}/rows: every row of the project, a page at a time; what is shown stands in the address."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import anyio
from fastapi import Request

from brewslm.errors import StageError
from brewslm.observe.figures import counted
from brewslm.observe.row_facets import RowFacets, row_facets
from brewslm.observe.row_filter import RowFilter, RowStatus
from brewslm.observe.row_pages import RowItem, RowPage, row_page
from brewslm.reasons.refusals import InvalidRequest, NotPrepared, UnknownRun
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, box, link
from brewslm.web.pieces import Column, empty, pager, reason_chip, table, title_row
from brewslm.web.query import Heard, heard
from brewslm.web.row_filter_form import filter_card
from brewslm.web.row_text import row_text
from brewslm.web.words import Sign

STATUS_SIGNS = {
    "counts": Sign("done", "counts"), "rejected": Sign("needs", "rejected"), "undone": Sign("idle", "undone"),
    "train": Sign("done", "train"), "dev": Sign("done", "dev"), "eval": Sign("done", "eval"), "gold": Sign("done", "gold"),
}  # fmt: skip


class Asked(RowFilter):
    """A filter and a cursor.

    Attributes:
        after, before: `next` or `previous` of a page.
    """

    after: str | None = None
    before: str | None = None

    @property
    def wanted(self) -> RowFilter:
        """The filter alone."""
        return RowFilter(**{name: getattr(self, name) for name in RowFilter.model_fields})


@dataclass(frozen=True)
class Seen:
    """What the page shows; `asked` without what names no import, version or page of this project."""

    asked: Heard[Asked]
    page: RowPage
    facets: RowFacets


async def page(project: str, request: Request) -> None:
    """The list."""
    here = await opened(project)
    found = here.project
    seen = await anyio.to_thread.run_sync(see, found.id, heard(Asked, request.query_params))
    asked = seen.asked.value.wanted
    with here.frame("Rows", ("Data", f"/projects/{found.id}/data")):
        with title_row("Rows", line(seen.facets, asked)):
            link("Data", f"/projects/{found.id}/data", "button")
        filter_card(found.id, asked, seen.facets, seen.asked, address(found.id, asked))
        with box("section", "card", aria_label="Rows"):
            _rows(found.id, asked, seen.page)


def see(project: int, asked: Heard[Asked]) -> Seen:
    """Read it; a field that names what there is not is left out, and said.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    while True:
        value = asked.value
        try:
            shown = row_page(project, value.wanted, value.after, value.before)
            break
        except StageError as error:
            name = next((name for name, reason in NAMED.items() if name in asked.said and isinstance(error.reason, reason)), "")
            if not name or name in asked.faults:
                raise
            asked = asked.without(name, _no_such(name, asked.written(name)))
    return Seen(asked, shown, row_facets(project, asked.value.import_run))


NAMED = {"import": UnknownRun, "manifest": NotPrepared, "before": InvalidRequest, "after": InvalidRequest}
"""Fields that name something, and the reason by which it is said that there is none."""


def _no_such(name: str, said: str) -> str:
    if name == "import":
        return f"This project has no import {said}: choose one of the list."
    return f"This project has no version {said}." if name == "manifest" else "There is no such page: these are the first rows."


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
