"""/ui/projects/{id}/runs: every training run, with what it was told and what it came to; and some held against each other."""

from functools import partial

import anyio
from fastapi import Request
from nicegui import ui
from nicegui.events import GenericEventArguments
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.metrics.units import said
from brewslm.models.recipe import Recipe
from brewslm.observe.figures import counted
from brewslm.observe.trainings import MOST_COMPARED, Measurement, TrainingsPage, TrainingView, trainings, trainings_by_id
from brewslm.web.filters import left_out_card
from brewslm.web.form_field import refusal
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, button, link, moment, put
from brewslm.web.pieces import Column, empty, pager, table, title_row
from brewslm.web.query import Cursor, Heard, address, heard, usual_left_out
from brewslm.web.running import POLL_SECONDS
from brewslm.web.runs_compared import Traced, compared_card, traced
from brewslm.web.words import RUN_SIGNS, duration, plain


class Asked(BaseModel):
    """A page of runs, and above it a comparison of some, with commas between."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    compare: str | None = None
    before: Cursor | None = None


async def page(project: str, request: Request) -> None:
    """The list, and above it the comparison that the address asks for."""
    here = await opened(project)
    found = here.project
    asked, held = await anyio.to_thread.run_sync(_compared, found.id, heard(Asked, request.query_params))
    cursor = asked.value.before
    shown = await anyio.to_thread.run_sync(trainings, found.id, cursor)
    with here.frame("Runs"):
        with title_row("Runs", f"{counted(shown.total, 'training run')}; an experiment is a run that ended well."):
            link("Configure a training", f"/projects/{found.id}/training", "button" + (" primary" if not held else ""))
        left_out_card(asked, address(f"/projects/{found.id}/runs", usual_left_out(asked.value)))
        if held:
            compared_card(found.id, held)
        _RunsCard(found.id, shown, cursor, [one.run.id for one in held] if held else [])


def _compared(project: int, asked: Heard[Asked]) -> tuple[Heard[Asked], list[Traced]]:
    """What is asked for without a comparison that can't be made, and what is compared."""
    if asked.value.compare is None:
        return asked, []
    try:
        found = trainings_by_id([one for one in asked.value.compare.split(",") if one])
    except StageError as error:
        return asked.without("compare", refusal(error)), []
    if found[0].task.project != project:
        return asked.without("compare", "They are runs of another project: tick those to compare in the list."), []
    return asked, [traced(one) for one in found]


class _RunsCard:
    """The table, which follows the runs, and the choice of those to compare."""

    def __init__(self, project: int, shown: TrainingsPage, before: int | None, chosen: list[str]) -> None:
        self._project, self._shown, self._before = project, shown, before
        self._chosen = dict.fromkeys(chosen)
        with box("section", "card", aria_labelledby="runs"):
            with box("div", "card-head"):
                Text("h2", "Training runs", id="runs")
                self._compare = button("", self._go)
            self._table = box("div")
        self._draw()
        self._count()
        ui.timer(POLL_SECONDS, self.look)

    async def look(self) -> None:
        """Read again, and draw anew what has changed."""
        shown = await anyio.to_thread.run_sync(trainings, self._project, self._before)
        if shown != self._shown:
            self._shown = shown
            self._draw()

    def _draw(self) -> None:
        path, runs = f"/projects/{self._project}/runs", self._shown.runs
        self._table.clear()
        with self._table:
            if not runs:
                empty("No model was trained yet.", "Configure a training", f"/projects/{self._project}/training")
                return
            columns = (
                Column[TrainingView]("Run", partial(_name, self._project), "mono"),
                Column[TrainingView]("State", _state),
                Column[TrainingView]("Recipe", lambda one: brief(one.recipe) if one.recipe else "–"),
                Column[TrainingView]("Loss", lambda one: "–" if one.loss is None else f"{one.loss:.3f}", "figure"),
                Column[TrainingView]("Measured", partial(_measured, self._project)),
                Column[TrainingView]("Time", lambda one: "–" if one.seconds is None else duration(one.seconds), "figure"),
                Column[TrainingView]("Began", _began),
                Column[TrainingView]("Compare", self._tick),
            )
            table("Training runs", columns, runs, marked=lambda one: one.id in self._chosen)
            links = [("Newest", path)] if self._shown.newer else []
            links += [("Older", f"{path}?before={self._shown.older}")] if self._shown.older else []
            if links:
                pager(f"{runs[0].id} to {runs[-1].id} of {self._shown.total:,}", links)

    def _tick(self, one: TrainingView) -> None:
        made = box("input", "tick-alone", type="checkbox", aria_label=f"Compare {one.id}")
        if one.id in self._chosen:
            put(made, checked="checked")
        made.on("change", partial(self._choose, one.id), js_handler="(event) => emit(event.target.checked)")

    def _choose(self, run_id: str, event: GenericEventArguments) -> None:
        if event.args:
            self._chosen[run_id] = None
        else:
            self._chosen.pop(run_id, None)
        self._count()

    def _count(self) -> None:
        count = len(self._chosen)
        fits = 2 <= count <= MOST_COMPARED
        self._compare.text = f"Compare {count} runs" if fits else f"Tick 2 to {MOST_COMPARED} runs to compare"
        put(self._compare, aria_disabled=str(not fits).lower())
        self._compare.classes(add="" if fits else "is-off", remove="is-off" if fits else "")

    def _go(self) -> None:
        if 2 <= len(self._chosen) <= MOST_COMPARED:
            ui.navigate.to(f"/projects/{self._project}/runs?compare={','.join(self._chosen)}")


def _name(project: int, one: TrainingView) -> None:
    link(one.id, f"/projects/{project}/runs/{one.id}")


def _state(one: TrainingView) -> None:
    Badge(RUN_SIGNS[one.task.state])
    done = one.task.progress or {}
    if done.get("total"):
        Text("div", f"{done['done'] / done['total']:.0%} of {done['total']:,} {plain(done['unit'])}s", "muted figure")
    elif one.task.problem:
        Text("div", str(one.task.problem["code"]), "muted mono")


def _measured(project: int, one: TrainingView) -> None:
    if one.newest is None:
        Text("span", "–")
        return
    link(measured(one.newest), f"/projects/{project}/evaluation?evaluation={one.newest.evaluation}", "figure")
    Text(
        "div",
        "promotable" if one.newest.promotable else "gates not met",
        f"muted is-{'done' if one.newest.promotable else 'needs'}",
    )


def measured(one: Measurement) -> str:
    """ "accuracy 90.2 % (86.9 % to 92.8 %)"."""
    if one.metric is None or one.metric_id is None:
        return one.evaluation
    value, low, high = (said(one.metric_id, figure) for figure in (one.metric.value, one.metric.low, one.metric.high))
    return f"{plain(one.metric_id)} {value} ({low} to {high})"


def _began(one: TrainingView) -> None:
    moment(one.task.started_at or one.task.created_at)


def brief(recipe: Recipe) -> str:
    """The settings that matter most: "lora, rank 16 · 1 epoch · rate 0.0005 · 16 rows a step"."""
    adapter = recipe.method if recipe.method == "full" else f"{recipe.method}, rank {recipe.lora_r}"
    objective = "" if recipe.objective == "supervised" else f"{recipe.objective}, "
    epochs = "1 epoch" if recipe.epochs == 1 else f"{recipe.epochs:g} epochs"
    return f"{objective}{adapter} · {epochs} · rate {recipe.learning_rate:g} · {recipe.batch_size} rows a step"
