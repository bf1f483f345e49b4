"""The imports of a project: what each brought, taking it back, and bringing its rejected rows back mended."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import PurePath
from urllib.parse import urlencode
from uuid import uuid4

import anyio
from nicegui import ui

from brewslm.api.uploads import readable
from brewslm.errors import StageError
from brewslm.observe.figures import counted
from brewslm.observe.imports import ImportView, imports
from brewslm.pipeline import execute
from brewslm.pipeline.mending import planned_reimport
from brewslm.pipeline.runs import RunView
from brewslm.stages.mapping.undo import UndoRequest
from brewslm.web.doing import Busy, attempt, follow
from brewslm.web.fields import FileField
from brewslm.web.mapping_result import ended_well
from brewslm.web.parts import Badge, Text, box, button, link, moment, problem, problem_document
from brewslm.web.projects import ACTOR
from brewslm.web.rejections import by_reason
from brewslm.web.running import POLL_SECONDS
from brewslm.web.words import Sign

HEADS = ("Import", "Source", "Mapper", "Accepted", "Rejected", "When", "State", "")


class ImportsCard:
    """The table, which follows what happens elsewhere too, and under it what is being done with one import."""

    def __init__(self, project: int, found: list[ImportView]) -> None:
        self._project, self._found = project, found
        with box("section", "card", aria_labelledby="imports"):
            Text("h2", "Imports", id="imports")
            self._table = box("div", "wide", tabindex="0", role="region", aria_label="Imports")
            self._panel = box("div", "confirm", role="region", aria_label="Change an import")
            self._panel.set_visibility(False)
        self._draw()
        ui.timer(POLL_SECONDS, self.look)

    async def look(self) -> None:
        """Read again, and draw anew what has changed."""
        found = await anyio.to_thread.run_sync(imports, self._project)
        if found != self._found:
            self._found = found
            self._draw()

    def _draw(self) -> None:
        self._table.clear()
        with self._table:
            if not self._found:
                Text("p", "Nothing was imported yet: upload a file above, or name a source.", "empty")
                return
            with box("table", "figures rows stacks imports"):
                with box("thead"), box("tr"):
                    for head in HEADS:
                        Text("th", head, scope="col") if head else Text("td")
                with box("tbody"):
                    for one in reversed(self._found):
                        self._row(one)

    def _row(self, one: ImportView) -> None:
        with box("tr", "undone" if one.undone_by else ""):
            with box("th", "", scope="row"):
                link(one.import_run, f"/projects/{self._project}/events?run={one.import_run}", "mono")
            with box("td", data_head=HEADS[1]):
                Text("span", short(one.locator), title=one.locator)
            with box("td", data_head=HEADS[2]):
                Text("span", one.mapper)
            with box("td", data_head=HEADS[3]):
                self._count(one, one.accepted_count, status="undone" if one.undone_by else "counts")
            with box("td", data_head=HEADS[4]):
                self._count(one, one.rejected_count, status="rejected")
                if one.rejection_counts:
                    Text("p", by_reason(one.rejection_counts), "muted reasons")
            with box("td", data_head=HEADS[5]):
                moment(one.created_at)
            with box("td", data_head=HEADS[6]):
                Badge(state_of(one))
                if one.parent_import:
                    Text("p", f"mends {one.parent_import}", "muted")
            with box("td"), box("div", "row-actions"):
                self._actions(one)

    def _count(self, one: ImportView, count: int, status: str) -> None:
        if count:
            query = urlencode({"status": status, "import": one.import_run})
            link(
                f"{count:,}",
                f"/projects/{self._project}/rows?{query}",
                aria_label=f"See the {counted(count, 'row')} of {one.import_run}",
            )
        else:
            Text("span", "0")

    def _actions(self, one: ImportView) -> None:
        name = one.import_run
        if not one.undone_by:
            button("Undo", partial(self._ask_undo, one), aria_label=f"Undo {name}")
        if one.rejected_count:
            address, file = f"/api/imports/{name}/rejected", f"{name}-rejected.jsonl"
            Text("a", "Rejected rows", "button", href=address, download=file, aria_label=f"Download the rejected rows of {name}")
            button("Reimport mended rows", partial(self._ask_mended, one), aria_label=f"Reimport mended rows of {name}")

    def _ask_undo(self, one: ImportView) -> None:
        now = sum(each.accepted_count for each in self._found if not each.undone_by)
        key = f"page-{uuid4()}"
        self._open(f"Undo {one.import_run}?")
        with self._panel:
            rows = counted(one.accepted_count, "row")
            Text("p", f"Its {rows} will count no more; prepare leaves them out. They can be imported again.")
            Text("p", f"Rows of the project: {now:,} → {now - one.accepted_count:,}", "figure")
            with box("div", "actions"):
                button(f"Undo {one.import_run} now", partial(self._undo, one, key), "primary")
                button("Keep it", partial(self._panel.set_visibility, False))

    async def _undo(self, one: ImportView, key: str) -> None:
        request = UndoRequest(import_run=one.import_run)
        queued = await attempt(partial(execute.queue, ACTOR, request, idempotency_key=key))
        self._open(f"Undo {one.import_run}")
        self._follow(queued, self._undone)

    def _undone(self, run: RunView) -> None:
        result = run.result or {}
        rows = counted(result["rows"], "row counts", "rows count")
        Text("p", f"{result['import_run']} is undone by {run.task_id}: its {rows} no more.", role="status")
        Text("p", f"Next: brewslm prepare --project {run.project} makes a manifest without them.", "muted")

    def _ask_mended(self, one: ImportView) -> None:
        self._open(f"Reimport mended rows of {one.import_run}")
        with self._panel:
            Text("p", "Download its rejected rows, mend what stands under raw (or text) in each line, and bring the file back.")
            FileField("Mended rows", "The JSON lines that you mended", partial(self._reimport, one))
            self._busy = Busy()
            with box("div", "actions"):
                button("Not now", partial(self._panel.set_visibility, False))

    async def _reimport(self, one: ImportView, path: str) -> None:
        with self._busy.doing("Reading the mended rows…"):
            queued = await attempt(lambda: _queued_reimport(one.import_run, path))
        if isinstance(queued, StageError):
            self._ask_mended(one)
        else:
            self._open(f"Reimport mended rows of {one.import_run}")
        self._follow(queued, ended_well)

    def _open(self, title: str) -> None:
        self._panel.clear()
        self._panel.set_visibility(True)
        with self._panel:
            Text("h3", title)

    def _follow(self, queued: RunView | StageError, on_success: Callable[[RunView], None]) -> None:
        """Show a run in the panel until its end, or why there is none."""
        with self._panel:
            outcome = box("div")
        with outcome:
            if isinstance(queued, StageError):
                problem(queued)
            else:
                follow(queued, self._ending(outcome, on_success))

    def _ending(self, outcome: ui.element, on_success: Callable[[RunView], None]) -> Callable[[RunView], Awaitable[None]]:
        async def ended(run: RunView) -> None:
            await self.look()
            outcome.clear()
            with outcome:
                if run.state == "succeeded":
                    on_success(run)
                else:
                    problem_document(run.problem or {})

        return ended


def state_of(one: ImportView) -> Sign:
    """An import as a state."""
    return Sign("idle", f"undone by {one.undone_by}") if one.undone_by else Sign("done", "counts")


def short(locator: str) -> str:
    """A locator without the folders of its path."""
    scheme, _, reference = locator.partition(":")
    return f"{scheme}:{PurePath(reference).name}" if reference.startswith("/") else locator


def _queued_reimport(import_run: str, path: str) -> RunView:
    return execute.queue(ACTOR, planned_reimport(ACTOR, import_run, readable(f"mended:{path}")))
