"""/ui/projects/{id}/export: bundles of the trained models, what is in each, and how its files were checked."""

from dataclasses import dataclass

import anyio
from fastapi import Request
from nicegui import ui
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.observe.exports import PAGE, BundleView, ExportView, bundle, exports
from brewslm.reasons.refusals import UnknownRun
from brewslm.web.bundle_card import bundle_cards
from brewslm.web.export_form import ExportForm
from brewslm.web.exports_card import ExportsCard
from brewslm.web.filters import left_out_card
from brewslm.web.opening import opened
from brewslm.web.parts import box, button
from brewslm.web.pieces import title_row
from brewslm.web.query import Cursor, address, heard, usual_left_out
from brewslm.web.running import POLL_SECONDS


@dataclass(frozen=True)
class Seen:
    """What the page shows, read at one moment.

    Attributes:
        found: One page of exports, and one beyond.
        chosen: The one that is opened; None where there is none.
    """

    found: tuple[ExportView, ...]
    chosen: BundleView | None


def see(project: int, export: str, before: int) -> Seen:
    """Read it.

    Args:
        export: The one to open; "" for the newest that ended well, or else the newest.
        before: Exports with a smaller number; 0: the newest.

    Raises:
        StageError(UnknownRun): The project has no export of this id.
    """
    found = exports(project, before or None, PAGE + 1)
    usual = next((one for one in found if one.artifacts), found[0] if found else None)
    chosen = bundle(export) if export else bundle(usual.id) if usual else None
    if chosen is not None and chosen.project != project:
        raise StageError(UnknownRun(), where=export, cause="no export of this project has this id")
    return Seen(tuple(found), chosen)


class Asked(BaseModel):
    """What the address asks for.

    Attributes:
        export: The one that is opened.
        before: Exports with a smaller number are listed; 0: the newest.
        experiment: The page opens with the form for a new export of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    export: str = ""
    before: Cursor = 0
    experiment: str = ""


async def page(project: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    asked = heard(Asked, request.query_params)
    wanted = asked.value
    seen = await anyio.to_thread.run_sync(see, found.id, wanted.export, wanted.before)
    with here.frame("Export"):
        left_out_card(asked, address(f"/projects/{found.id}/export", usual_left_out(wanted)))
        shown = _Export(found.id, seen, wanted.export, wanted.before)
    ui.timer(POLL_SECONDS, shown.look)
    if wanted.experiment:
        await shown.form.open(wanted.experiment)


class _Export:
    """The page's parts; each is brought up to date where something has changed."""

    def __init__(self, project: int, seen: Seen, export: str, before: int) -> None:
        self._project, self._seen, self._asked = project, seen, (export, before)
        line = "The trained model as files that other programs run, each checked by running it."
        with title_row("Export", line):
            button("Export a model", self._open, "" if seen.found else "primary")
        self.form = ExportForm(project, self.look)
        with box("div", "column-of-cards"):
            self._table = ExportsCard(project, before)
            self._chosen = box("div", "column-of-cards")
        self._draw()

    async def _open(self) -> None:
        await self.form.open()

    def _draw(self) -> None:
        self._table.show(self._seen.found, self._seen.chosen.id if self._seen.chosen else "")
        self._chosen.clear()
        with self._chosen:
            if self._seen.chosen is not None:
                bundle_cards(self._seen.chosen)

    async def look(self) -> None:
        """Read again, and show what has changed."""
        now = await anyio.to_thread.run_sync(see, self._project, *self._asked)
        if now != self._seen:
            self._seen = now
            self._draw()
