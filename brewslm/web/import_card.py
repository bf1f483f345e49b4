"""Stages 1 to 4 by hand: name a source, look at it, choose a mapping, dry run it, commit it."""

from functools import partial
from uuid import uuid4

from brewslm.errors import StageError
from brewslm.observe.connectors import ConnectorView, MapperView
from brewslm.pipeline import execute
from brewslm.pipeline.importing import dry_run, planned_import
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import LowConfidence
from brewslm.stages.introspect import Introspection
from brewslm.stages.mapping import CommitRequest, MapRequest, Preview
from brewslm.web.doing import Busy, attempt, follow
from brewslm.web.introspection import introspection
from brewslm.web.mapping_form import MappingForm
from brewslm.web.mapping_result import counts_of, ended_well, samples_of
from brewslm.web.parts import Text, box, button, problem, problem_document
from brewslm.web.projects import ACTOR
from brewslm.web.source_form import SourceForm


class ImportCard:
    """The card; each step opens under the one before it, and what no longer holds is taken away."""

    def __init__(self, project: int, sources: list[ConnectorView], mappers: list[MapperView]) -> None:
        self._project, self._mappers = project, mappers
        with box("section", "card import", aria_labelledby="import"):
            Text("h2", "Import dataset (auto-mapping)", id="import")
            SourceForm(sources, self._forget, self._show)
            self._found = box("div", "import-step")
            self._outcome = box("div", "import-step")
        self._form: MappingForm | None = None
        self._locator = ""

    def _forget(self) -> None:
        self._found.clear()
        self._outcome.clear()
        self._form = None

    def _show(self, locator: str, found: Introspection) -> None:
        self._forget()
        self._locator = locator
        with self._found:
            Text("h3", "What is there")
            introspection(found)
            Text("h3", "Mapping")
            self._form = MappingForm(found, self._mappers, self._outdate)
            with box("div", "actions"):
                self._button = button("Dry run", self._rehearse, "primary")
            Text("p", "Maps every row and keeps the source in the project; no row is added to it.", "muted")
            self._busy = Busy()

    def _outdate(self) -> None:
        """What was dry run is not what the form says now: a dry run is the next thing to do again."""
        self._outcome.clear()
        self._button.classes("primary")

    async def _rehearse(self) -> None:
        form = self._form
        if form is None or self._busy.is_on:
            return
        self._outdate()
        try:
            asked, entries = form.asked(self._project, self._locator), form.entries
        except StageError as refused:
            with self._outcome:
                problem(refused)
            return
        with self._busy.doing("Mapping every row…"):
            done = await attempt(partial(_rehearsed, asked, entries, self._busy.tell))
        if form is not self._form or (asked, entries) != _said(form, self._project, self._locator):
            return  # the person has gone on meanwhile: this answers what he asks no more
        with self._outcome:
            if isinstance(done, StageError):
                problem(_in_the_pages_words(done))
            else:
                self._button.classes(remove="primary")
                _DryRun(*done)


class _DryRun:
    """What a commit would do, and the button that does exactly that."""

    def __init__(self, mapping: MapRequest, preview: Preview) -> None:
        self._mapping, self._preview, self._key = mapping, preview, f"page-{uuid4()}"
        Text("h3", "Dry run")
        counts_of(preview.model_dump(mode="json"))
        self._action = box("div", "actions")
        self._samples = box("div")
        with self._action:
            if preview.accepted_count:
                rows = "row" if preview.accepted_count == 1 else "rows"
                button(f"Commit {preview.accepted_count:,} {rows}", self._commit, "primary")
            else:
                Text("p", "There is nothing to commit: choose other columns, or mend the source.", "empty")
        with self._samples:
            samples_of(preview, committed=False)

    async def _commit(self) -> None:
        request = CommitRequest(**self._mapping.model_dump())
        queued = await attempt(partial(execute.queue, ACTOR, request, idempotency_key=self._key))
        self._action.clear()
        with self._action:
            if isinstance(queued, StageError):
                problem(queued)
            else:
                follow(queued, self._ended)

    async def _ended(self, run: RunView) -> None:
        self._action.clear()
        with self._action:
            if run.state != "succeeded":
                problem_document(run.problem or {})
                button("Try again", self._again)
                return
            ended_well(run)
        self._samples.clear()
        with self._samples:
            samples_of(self._preview, committed=True)

    async def _again(self) -> None:
        self._key = f"page-{uuid4()}"
        await self._commit()


def _rehearsed(asked: ImportRequest, entries: dict[str, str], tell: execute.OnProgress) -> tuple[MapRequest, Preview]:
    """Keep the source, hold the mapping to its gate, and map every row. Entries may leave out what the guess has beside."""
    planned = planned_import(ACTOR, asked, on_progress=tell)
    mapping = planned.request.model_copy(update={"field_map": entries or planned.request.field_map})
    return mapping, dry_run(mapping, tell)


def _said(form: MappingForm, project: int, locator: str) -> tuple[ImportRequest, dict[str, str]] | None:
    try:
        return form.asked(project, locator), form.entries
    except StageError:
        return None


def _in_the_pages_words(error: StageError) -> StageError:
    if not isinstance(error.reason, LowConfidence):
        return error
    next_step = "Tick that you take it although it is not sure, or choose the columns yourself."
    return StageError(error.reason, error.what, where=error.where, cause=error.cause, next_step=next_step)
