"""row.forget: what it would change, before → after, and the row's id typed before it is done."""

from functools import partial
from uuid import uuid4

from nicegui import ui

from brewslm.errors import StageError
from brewslm.observe.figures import counted
from brewslm.observe.forgetting import forget_plan
from brewslm.pipeline import execute
from brewslm.pipeline.forget import ForgetPlan, ForgetRequest, Saw
from brewslm.pipeline.runs import RunView
from brewslm.web.doing import Busy, attempt, follow
from brewslm.web.fields import Tick
from brewslm.web.parts import Badge, Text, box, button, link, problem, problem_document
from brewslm.web.projects import ACTOR
from brewslm.web.words import Sign

ROWS_NAMED = 20


class ForgetCard:
    """The card; nothing is looked for before it is asked."""

    def __init__(self, row_id: str) -> None:
        self._row_id, self._equal, self._key = row_id, False, f"page-{uuid4()}"
        with box("section", "card", aria_labelledby="forget"):
            Text("h2", "Forget this row", id="forget")
            Text("p", "Removes its text wherever it lies in the project, for ever. Who it was stays: id, place, hashes.", "muted")
            Tick("Also what says the same, what it was mended from or into, and all chunks of its document", self._with_equal)
            with box("div", "actions"):
                button("Show what would change", self._plan)
            self._busy = Busy()
            self._said = box("div")

    def _with_equal(self, equal: bool) -> None:
        self._equal = equal
        self._said.clear()

    async def _plan(self) -> None:
        if self._busy.is_on:
            return
        self._said.clear()
        equal, self._key = self._equal, f"page-{uuid4()}"
        with self._busy.doing("Looking for its text…"):
            found = await attempt(partial(forget_plan, self._row_id, equal))
        with self._said:
            if isinstance(found, StageError):
                problem(found)
                return
            with box("div", "confirm", role="region", aria_label="Forget this row"):
                _planned(found)
                self._typed = ui.input("Type the row's id to forget it").props("outlined dense autocomplete=off maxlength=200")
                self._wrong = box("div", role="alert")
                with box("div", "actions"):
                    count = len(found.row_ids)
                    button(f"Forget {counted(count, 'row')}", partial(self._forget, equal), "primary")
                    button("Keep it", self._said.clear)

    async def _forget(self, equal: bool) -> None:
        self._wrong.clear()
        if (self._typed.value or "").strip() != self._row_id:
            with self._wrong:
                Text("p", f"Nothing was changed: type {self._row_id}.", "is-failed")
            return
        request = ForgetRequest(row_id=self._row_id, equal=equal)
        queued = await attempt(partial(execute.queue, ACTOR, request, idempotency_key=self._key))
        self._said.clear()
        with self._said:
            if isinstance(queued, StageError):
                problem(queued)
            else:
                follow(queued, self._ended)

    async def _ended(self, run: RunView) -> None:
        self._said.clear()
        with self._said:
            if run.state != "succeeded":
                problem_document(run.problem or {})
                return
            result = run.result or {}
            with box("p", "note", role="status"):
                Badge(Sign("done", f"{counted(len(result['row_ids']), 'row is', 'rows are')} forgotten by {run.task_id}"))
                Text("span", f"{counted(result['files'], 'file was', 'files were')} rewritten", "figure")
            _saw(Saw.model_validate(result["saw"]))
            link("See what is left of it", f"/rows/{self._row_id}")


def _planned(found: ForgetPlan) -> None:
    """Before → after."""
    count = len(found.row_ids)
    Text("h3", "What will change")
    Text("p", f"{counted(count, 'row')} → who they were, and no text; it can't be undone.", "figure")
    named = ", ".join(found.row_ids[:ROWS_NAMED])
    Text("p", named + (f" and {count - ROWS_NAMED:,} more" if count > ROWS_NAMED else ""), "mono")
    if found.same:
        Text("p", f"Says the same, and is not forgotten unless you tick it above: {', '.join(found.same[:ROWS_NAMED])}", "muted")
    with box("ul", "causes"):
        for path, lines in found.files.items():
            Text("li", f"{path}: {counted(lines, 'line')} → emptied")
        for one in found.sources:
            Text("li", f"{one.path}, record {one.position:,} → emptied")
        for outside in found.outside:
            Text("li", f"not touched, for it is not the project's: {outside}")
    _saw(found.saw)


def _saw(saw: Saw) -> None:
    """What can't forget."""
    found = {
        "manifests": saw.manifests, "experiments": saw.experiments, "evaluations": saw.evaluations, "exports": saw.exports,
        "deployments": saw.deployments, "gold sets": saw.gold_sets,
    }  # fmt: skip
    if not any(found.values()):
        return
    Text("h3", "What saw it, and can't forget")
    with box("ul", "causes"):
        for name, every in found.items():
            if every:
                Text("li", f"{name}: {'; '.join(every)}")
    if saw.experiments:
        Text("p", "Weights can't forget: train again without it, and retire what was trained.", "muted")
