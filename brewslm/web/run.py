"""/ui/projects/{id}/runs/{run_id}: one run; of a training run what it tells while it learns, and all that came of it."""

import anyio
from fastapi import Request
from nicegui import ui
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.observe.experiments import OPERATION
from brewslm.observe.figures import counted
from brewslm.observe.projects import ProjectView
from brewslm.observe.tasks import task
from brewslm.observe.trace import trace
from brewslm.observe.trainings import TrainingDetail, training
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import UnknownRun
from brewslm.web.any_run import RunCard, log_card
from brewslm.web.filters import left_out_card
from brewslm.web.form_field import refusal
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, problem_document
from brewslm.web.query import Cursor, Heard, heard
from brewslm.web.run_acts import RunActs
from brewslm.web.run_charts import RunCharts
from brewslm.web.run_results import checkpoints_card, recipe_card, results
from brewslm.web.run_steps import Asked, Seen, seen_steps, steps_card
from brewslm.web.running import POLL_SECONDS
from brewslm.web.words import RUN_SIGNS, duration, plain


async def page(project: str, run_id: str, request: Request) -> None:
    """The run."""
    here = await opened(project)
    found = here.project
    run = await anyio.to_thread.run_sync(_run_of, found, run_id)
    detail = await anyio.to_thread.run_sync(training, run_id) if run.operation == OPERATION else None
    given, other = await anyio.to_thread.run_sync(_against, heard(Query, request.query_params))
    asked = Asked(found.id, run_id, **dict(given.value))
    first = await anyio.to_thread.run_sync(trace, run_id)
    steps = await anyio.to_thread.run_sync(seen_steps, asked)
    with here.frame(run_id, ("Runs", f"/projects/{found.id}/runs")):
        left_out_card(given, asked.address())
        if detail is None:
            shown: _Training | RunCard = RunCard(run)
        else:
            shown = _Training(asked, detail, other)
            if first.lines or run.state in ("running", "queued"):
                with box("section", "card", aria_labelledby="learns"):
                    Text("h2", "While it learns", id="learns")
                    shown.charts = RunCharts(run_id, first)
            shown.place(steps)
        log_card(run_id)
    ui.timer(POLL_SECONDS, shown.look)


class Query(BaseModel):
    """See `Asked`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    against: str | None = None
    step: Cursor | None = None
    before: Cursor | None = None


def _run_of(project: ProjectView, run_id: str) -> RunView:
    """The run, if it is this project's.

    Raises:
        StageError(UnknownRun): It is not, or there is none.
    """
    run = task(run_id)
    if run.project != project.id:
        where = f"project {project.id}, {run_id}"
        raise StageError(UnknownRun(), where=where, cause="it is no run of this project", next_step="See the project's Runs.")
    return run


def _against(asked: Heard[Query]) -> tuple[Heard[Query], TrainingDetail | None]:
    """The run that this one is held against, where there is such a one."""
    if asked.value.against is None:
        return asked, None
    try:
        return asked, training(asked.value.against)
    except StageError as error:
        return asked.without("against", refusal(error)), None


class _Training:
    """A training run's head, problem, figures, checkpoints, recipe and steps; each is drawn anew when it has changed.

    Args:
        other: The run that it is held against.
    """

    charts: RunCharts | None = None

    def __init__(self, asked: Asked, detail: TrainingDetail, other: TrainingDetail | None) -> None:
        self._asked, self._seen, self._other = asked, detail, other
        with box("div", "title"):
            with box("div"):
                Text("h1", detail.id)
                with box("p", "event-head"):
                    self._badge = Badge(RUN_SIGNS[detail.task.state])
                    self._line = Text("span", "", "muted figure")
            self._acts = RunActs(detail.task)
        self._acts.place_panel()
        self._problem, self._results = box("div", "placed"), box("div", "placed")
        self._draw()

    def place(self, steps: Seen) -> None:
        """Draw what stands below the charts."""
        self._recipe, self._steps = box("div", "placed"), box("div", "placed")
        with self._recipe:
            recipe_card(self._asked, self._seen, self._other)
        with self._steps:
            steps_card(self._asked, steps)

    async def look(self) -> None:
        """Read again."""
        before, now = self._seen, await anyio.to_thread.run_sync(training, self._seen.id)
        if now != before:
            self._seen = now
            self._draw()
        if now.recipe != before.recipe:  # a worker has begun it
            self._recipe.clear()
            with self._recipe:
                recipe_card(self._asked, now, self._other)
        if now.task.state != before.task.state:
            steps = await anyio.to_thread.run_sync(seen_steps, self._asked)
            self._steps.clear()
            with self._steps:
                steps_card(self._asked, steps)
        if self.charts is not None:
            await self.charts.look()

    def _draw(self) -> None:
        run = self._seen.task
        self._badge.show(RUN_SIGNS[run.state])
        self._line.text = line_of(self._seen)
        self._acts.show(run)
        self._problem.clear()
        if run.problem and run.state != "succeeded":
            with self._problem, box("section", "card", aria_label="Why it ended"):
                problem_document(run.problem)
        self._results.clear()
        with self._results:
            if run.state == "succeeded":
                results(self._seen)
            if self._seen.checkpoints:
                checkpoints_card(self._seen)


def line_of(one: TrainingDetail) -> str:
    """How far it is, or what it took, in one line."""
    run, result = one.task, one.task.result or {}
    if result:
        speed = f"{result['real_tokens_per_second']:,.0f} tok/s"
        took = f" · {duration(one.seconds)}" if one.seconds is not None else ""
        return f"{counted(result['trained_rows'], 'row')} · {counted(result['steps'], 'step')}{took} · {speed}"
    done = run.progress or {}
    if done.get("total"):
        return f"{plain(done['unit'])} {done['done']:,} of {done['total']:,}"
    return "a worker takes it when it is free" if run.state == "queued" else f"attempt {run.attempt}"
