"""Training runs held against each other: their losses in one chart, what came of them, and what they were told otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from nicegui import ui

from brewslm.metrics.units import PLAIN
from brewslm.observe.trace import trace
from brewslm.observe.trainings import TrainingView
from brewslm.web.changes import setting
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import Column, interval, table
from brewslm.web.step_chart import LOSS, Points, StepSeries, options
from brewslm.web.theme import color
from brewslm.web.words import RUN_SIGNS, duration


@dataclass(frozen=True)
class Traced:
    """A run and its losses."""

    run: TrainingView
    loss: Points


def traced(run: TrainingView) -> Traced:
    """With its trace as it stands."""
    series = StepSeries(LOSS)
    series.add(trace(run.id).lines)
    return Traced(run, series.points["loss"])


def compared_card(project: int, held: Sequence[Traced]) -> None:
    """The comparison."""
    runs = [one.run for one in held]
    names = ", ".join(one.id for one in runs)
    with box("section", "card", aria_labelledby="compared"):
        with box("div", "card-head"):
            Text("h2", f"{names} compared", id="compared")
            link("Close the comparison", f"/projects/{project}/runs")
        last = [f"{one.run.id} {one.loss[-1][1]:.3g} at step {one.loss[-1][0]:,.0f}" for one in held if one.loss]
        chart = ui.echart(overlaid(held), renderer="svg").classes("chart")
        chart.props["role"], chart.props["aria-label"] = "img", f"Loss chart. {'; '.join(last) or 'no step yet'}"
        _outcomes(project, runs)
        Text("h3", "What they were told otherwise")
        _told(runs)


def overlaid(held: Sequence[Traced]) -> dict[str, Any]:
    """One line a run, with its name at its end."""
    drawn = options({"loss": [], "dev": []})
    drawn["grid"] |= {"right": 64}
    drawn["series"] = []
    for place, one in enumerate(held, 1):
        ink = color(f"chart-{place}")
        drawn["series"].append({
            "id": one.run.id, "name": one.run.id, "type": "line", "data": one.loss, "showSymbol": len(one.loss) == 1,
            "lineStyle": {"width": 2, "color": ink}, "itemStyle": {"color": ink}, "emphasis": {"disabled": True},
            "endLabel": {
                "show": True, "formatter": one.run.id, "color": ink, "fontSize": 12, "padding": 2,
                "backgroundColor": color("surface"),
            },
            "labelLayout": {"moveOverlap": "shiftY"},
        })  # fmt: skip
    return drawn


def _outcomes(project: int, runs: Sequence[TrainingView]) -> None:
    columns = (
        Column[TrainingView]("Run", lambda one: _link(project, one), "mono"),
        Column[TrainingView]("State", _state),
        Column[TrainingView]("Loss", lambda one: "–" if one.loss is None else f"{one.loss:.4f}", "figure"),
        Column[TrainingView]("Dev loss", lambda one: "–" if one.dev_loss is None else f"{one.dev_loss:.4f}", "figure"),
        Column[TrainingView]("Measured", partial(_measured, project)),
        Column[TrainingView]("Time", lambda one: "–" if one.seconds is None else duration(one.seconds), "figure"),
    )
    table("What came of them", columns, runs)
    evaluations = [one.newest.evaluation for one in runs if one.newest]
    if len(evaluations) > 1:
        address = f"/projects/{project}/evaluation?evaluation={evaluations[0]}&against={','.join(evaluations[1:])}"
        with box("p"):
            link("Compare their answers row by row", address)


def _link(project: int, one: TrainingView) -> None:
    link(one.id, f"/projects/{project}/runs/{one.id}")


def _state(one: TrainingView) -> None:
    Badge(RUN_SIGNS[one.task.state])


def _measured(project: int, one: TrainingView) -> None:
    if one.newest is None or one.newest.metric is None:
        Text("span", "–")
        return
    metric = one.newest.metric
    interval(metric.value, metric.low, metric.high, share=one.newest.metric_id not in PLAIN)
    with box("div"):
        link(one.newest.evaluation, f"/projects/{project}/evaluation?evaluation={one.newest.evaluation}", "mono")


def _told(runs: Sequence[TrainingView]) -> None:
    told = [one.told() for one in runs]
    names = [
        name for name in dict.fromkeys(name for one in told for name in one) if len({repr(one.get(name)) for one in told}) > 1
    ]
    if not names:
        Text("p", "Nothing differs: they were told the same.", "empty")
        return
    columns = [Column[str]("Setting", lambda name: name, "mono")]
    columns += [Column[str](one.id, partial(_value, told[place]), "mono") for place, one in enumerate(runs)]
    table("Settings that differ", columns, names)


def _value(told: dict[str, Any], name: str) -> str:
    return setting(told.get(name))
