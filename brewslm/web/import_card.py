"""Stages 1 to 4 by hand: name a source, look at it, choose a mapping, dry run it, commit it."""

from functools import partial
from urllib.parse import urlencode

from nicegui import ui

from brewslm.errors import StageError
from brewslm.observe.connectors import ConnectorView, MapperView
from brewslm.pipeline import execute
from brewslm.pipeline.importing import dry_run, planned_import
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.reasons.refusals import LowConfidence
from brewslm.stages.introspect import Introspection
from brewslm.stages.mapping import MapRequest, Preview
from brewslm.web.doing import Busy, attempt
from brewslm.web.import_outcome import REJECTED_KEPT, ImportOutcome
from brewslm.web.introspection import introspection
from brewslm.web.layout import PREFIX
from brewslm.web.mapping_form import MappingForm
from brewslm.web.parts import Text, box, button, problem
from brewslm.web.projects import ACTOR
from brewslm.web.source_form import SourceForm
from brewslm.web.steps import Steps, step_head

STEPS = ("Source", "Introspect", "Map", "Preview", "Commit")


class ImportCard:
    """The wizard; each step opens under the one before it, and what no longer holds is taken away.

    Args:
        source: A locator to look at at once.
        opened: Whether the wizard is shown; `open` shows it later.
    """

    def __init__(
        self, project: int, sources: list[ConnectorView], mappers: list[MapperView], source: str = "", opened: bool = True
    ) -> None:
        self._project, self._mappers = project, mappers
        with box("section", "card import", aria_labelledby="import", id="wizard") as self._root:
            with box("div", "card-head"):
                Text("h2", "Import dataset (auto-mapping)", id="import")
                button("Close", self.close)
            self._steps = Steps("Steps of the import", STEPS)
            with box("div", "import-step"):
                step_head(1, "Source")
                form = SourceForm(sources, self._forget, self._show, source)
            self._found = box("div")
            self._outcome = box("div")
        self._form: MappingForm | None = None
        self._locator, self._opener = "", box("span")
        self._root.set_visibility(opened)
        if source:
            ui.timer(0, form.look, once=True)

    def opens(self, opener: ui.element) -> None:
        """The button that opens it: it is there while the wizard is not."""
        self._opener.delete()
        self._opener = opener
        opener.set_visibility(not self._root.visible)

    def open(self) -> None:
        """Show it, and put the keyboard into it."""
        self._root.set_visibility(True)
        self._opener.set_visibility(False)
        self._address(new="1")
        ui.run_javascript("document.querySelector('#wizard input').focus()")

    def close(self) -> None:
        """Leave off: nothing that was only looked at or dry run stays."""
        self._forget()
        self._root.set_visibility(False)
        self._opener.set_visibility(True)
        self._address()

    def _address(self, **query: str) -> None:
        said = f"?{urlencode(query)}" if query else ""
        ui.navigate.history.replace(f"{PREFIX}/projects/{self._project}/data{said}")

    def _forget(self) -> None:
        self._found.clear()
        self._outcome.clear()
        self._form = None
        self._steps.at(1)

    def _show(self, locator: str, found: Introspection) -> None:
        self._forget()
        self._locator = locator
        self._address(source=locator)
        with self._found:
            with box("div", "import-step"):
                step_head(2, "Introspect", "What the source is, before anything is kept of it.")
                introspection(found)
            with box("div", "import-step"):
                step_head(3, "Map", "Take one of these ways, the surest first, or pick the columns yourself.")
                self._form = MappingForm(found, self._mappers, self._outdate)
                with box("div", "actions"):
                    self._button = button("Dry run", self._rehearse, "primary")
                Text("p", "Maps every row and keeps the source in the project; no row is added to it.", "muted")
                self._busy = Busy()
        self._steps.at(3)

    def _outdate(self) -> None:
        """What was dry run is not what the form says now: a dry run is the next thing to do again."""
        self._outcome.clear()
        self._button.classes("primary")
        self._steps.at(3)

    async def _rehearse(self) -> None:
        form = self._form
        if form is None or self._busy.is_on:
            return
        self._outdate()
        if not form.ready():
            return
        asked, entries = form.asked(self._project, self._locator), form.entries
        self._steps.at(4)
        with self._busy.doing("Mapping every row…"):
            done = await attempt(partial(_rehearsed, asked, entries, self._busy.tell))
        now = (form.asked(self._project, self._locator), form.entries) if form is self._form and form.ready() else None
        if now != (asked, entries):
            return  # the person has gone on meanwhile: this answers what he asks no more
        with self._outcome:
            if isinstance(done, StageError):
                self._steps.at(3)
                problem(_in_the_pages_words(done))
            else:
                self._button.classes(remove="primary")
                ImportOutcome(*done, self._steps.at)


def _rehearsed(asked: ImportRequest, entries: dict[str, str], tell: execute.OnProgress) -> tuple[MapRequest, Preview]:
    """Keep the source, hold the mapping to its gate, and map every row. Entries may leave out what the guess has beside."""
    planned = planned_import(ACTOR, asked, on_progress=tell)
    mapping = planned.request.model_copy(update={"field_map": entries or planned.request.field_map})
    return mapping, dry_run(mapping, tell, REJECTED_KEPT)


def _in_the_pages_words(error: StageError) -> StageError:
    if not isinstance(error.reason, LowConfidence):
        return error
    next_step = "Tick that you take it although it is not sure, or choose the columns yourself."
    return StageError(error.reason, error.what, where=error.where, cause=error.cause, next_step=next_step)
