"""Every evaluation of a project, and the choice of those to compare."""

from collections.abc import Callable
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from brewslm.metrics.units import PLAIN
from brewslm.observe.evaluations import MOST_COMPARED
from brewslm.observe.figures import counted
from brewslm.observe.scorecards import EvaluationsPage, EvaluationView, evaluations
from brewslm.web.evaluation_asked import Asked
from brewslm.web.parts import Badge, Text, box, button, link, moment, put
from brewslm.web.pieces import Column, interval, pager, table
from brewslm.web.words import Sign, plain


def list_tab(asked: Asked) -> Callable[[], object]:
    """Read one page of them."""
    return partial(_Listed, asked, evaluations(asked.project, asked.before))


class _Listed:
    """The table, and the button that compares what is ticked."""

    def __init__(self, asked: Asked, page: EvaluationsPage) -> None:
        self._asked = asked
        self._chosen: dict[str, None] = {}
        with box("section", "card", aria_labelledby="evaluations"):
            with box("div", "card-head"):
                Text("h2", counted(page.total, "evaluation"), id="evaluations")
                self._compare = button("", self._go)
            columns = (
                Column[EvaluationView]("Evaluation", self._name, "mono"),
                Column[EvaluationView]("Of", self._of, "mono"),
                Column[EvaluationView]("Figure", _figure),
                Column[EvaluationView]("Rows", lambda one: f"{one.n:,} of {one.rows_from}", "figure"),
                Column[EvaluationView]("Eval pack", lambda one: one.eval_pack),
                Column[EvaluationView]("Verdict", _verdict),
                Column[EvaluationView]("When", _when),
                Column[EvaluationView]("Compare", self._tick),
            )
            table("Evaluations", columns, page.evaluations)
            links = [("Newest", asked.address("all"))] if page.newer else []
            links += [("Older", asked.address("all", before=page.older))] if page.older else []
            if links:
                pager(f"{len(page.evaluations)} of {page.total:,}", links)
        self._count()

    def _name(self, one: EvaluationView) -> None:
        link(one.evaluation, self._asked.model_copy(update={"evaluation": one.evaluation}).address("scorecard"))

    def _of(self, one: EvaluationView) -> None:
        link(one.experiment, f"/projects/{self._asked.project}/runs/{one.experiment}")
        if one.measured:
            Text("div", one.measured, "muted")

    def _tick(self, one: EvaluationView) -> None:
        made = box("input", "tick-alone", type="checkbox", aria_label=f"Compare {one.evaluation}")
        made.on("change", partial(self._choose, one.evaluation), js_handler="(event) => emit(event.target.checked)")

    def _choose(self, evaluation: str, event: GenericEventArguments) -> None:
        if event.args:
            self._chosen[evaluation] = None
        else:
            self._chosen.pop(evaluation, None)
        self._count()

    def _count(self) -> None:
        count = len(self._chosen)
        fits = 2 <= count <= MOST_COMPARED
        self._compare.text = f"Compare {count} evaluations" if fits else f"Tick 2 to {MOST_COMPARED} to compare"
        put(self._compare, aria_disabled=str(not fits).lower())
        self._compare.classes(add="" if fits else "is-off", remove="is-off" if fits else "")

    def _go(self) -> None:
        if 2 <= len(self._chosen) <= MOST_COMPARED:
            *others, first = self._chosen if len(self._chosen) > 2 else sorted(self._chosen, reverse=True)
            asked = self._asked.model_copy(update={"evaluation": first})
            ui.navigate.to(asked.address("compare", against=",".join(others)))


def _figure(one: EvaluationView) -> str | None:
    if one.metric is None or one.metric_id is None:
        return "–"
    Text("div", plain(one.metric_id), "muted")
    interval(one.metric.value, one.metric.low, one.metric.high, share=one.metric_id not in PLAIN)
    return None


def _verdict(one: EvaluationView) -> None:
    Badge(Sign("done", "promotable") if one.promotable else Sign("needs", "gates not met"))
    if one.missed:
        Text("div", ", ".join(map(plain, one.missed)), "muted")


def _when(one: EvaluationView) -> None:
    moment(one.created_at)
