"""A chart of a trace by optimizer step: it is drawn once, and from then on gets only the points that are new."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from brewslm.observe.trace import TracePage
from brewslm.web.parts import Text, box, put
from brewslm.web.theme import FONT, color

MOST_POINTS = 1000
Points = list[list[float]]
Lines = Mapping[str, tuple[str, str]]
"""Id of a series → the kind of the trace's lines that it is of, and the field of them. "step" is drawn as a line; "eval" as
points, for it is measured now and then, and nothing is known between."""


@dataclass(frozen=True)
class Drawing:
    """What a chart draws.

    Attributes:
        title: Such as "Loss".
        axis: Name of the upright axis, with its unit.
        names: Id of a series → how it is called.
        scale: What each value is divided by.
        say: A value in words, for the last one.
    """

    title: str
    axis: str
    lines: Lines
    names: Mapping[str, str]
    scale: float = 1.0
    say: Callable[[float], str] = "{:.3g}".format


LOSS = Drawing(
    "Loss", "loss (nats a token)", {"loss": ("step", "loss"), "dev": ("eval", "dev_loss")}, {"loss": "loss", "dev": "dev loss"}
)


class StepSeries:
    """Points of a trace, never more than `MOST_POINTS` a line: when a line is full, every second point goes.

    Attributes:
        points: Id of a series → [[step, value], ...].
        stride: Only steps that this number divides are kept.
    """

    def __init__(self, drawing: Drawing = LOSS) -> None:
        self._lines, self._scale = drawing.lines, drawing.scale
        self.points: dict[str, Points] = {name: [] for name in drawing.lines}
        self.stride = 1

    def add(self, lines: list[dict[str, Any]]) -> dict[str, Points] | None:
        """Add what a trace page brought.

        Returns:
            The points that are new; None when a line was thinned, and has to be drawn anew.
        """
        new: dict[str, Points] = {name: [] for name in self._lines}
        thinned = False
        for line in lines:
            for name, (kind, field) in self._lines.items():
                if line["kind"] != kind or field not in line or (kind == "step" and line["step"] % self.stride):
                    continue
                point = [line["step"], float(f"{line[field] / self._scale:.5g}")]
                self.points[name].append(point)
                new[name].append(point)
                if len(self.points[name]) > MOST_POINTS:
                    thinned = True
                    self._thin(name, kind)
        return None if thinned else new

    def _thin(self, name: str, kind: str) -> None:
        if kind == "step":
            self.stride *= 2
            self.points[name] = [point for point in self.points[name] if not point[0] % self.stride]
        else:
            self.points[name] = self.points[name][1::2]


class StepChart:
    """The chart.

    Args:
        run_id: Whose trace it is.
        page: The trace from the beginning.
        classes: "chart", or "chart chart-small".
    """

    def __init__(self, run_id: str, drawing: Drawing, page: TracePage, classes: str = "chart") -> None:
        self.run_id, self._drawing = run_id, drawing
        self._series = StepSeries(drawing)
        self._series.add(page.lines)
        self._said = Text("p", "", "muted figure")
        with box("div", "", role="img") as self._frame:  # an attribute of the chart itself would send its series again
            self._chart = ui.echart(options(self._series.points, drawing), renderer="svg").classes(classes)
        if len(drawing.lines) > 1:
            with box("p", "chart-key muted", aria_hidden="true"):
                for name, (kind, _) in drawing.lines.items():
                    said = f"{drawing.names[name]} of each step" if kind == "step" else drawing.names[name]
                    Text("span", said, f"key key-{'line' if kind == 'step' else 'point'}")
        self._say(page.state)

    def show(self, page: TracePage, anew: bool = False) -> None:
        """Draw what is new; `anew`: the page begins at the trace's beginning, which was cut."""
        if anew:
            self._series = StepSeries(self._drawing)
        new = self._series.add(page.lines)
        if anew or new is None:
            self._chart.options["series"] = series(self._series.points, self._drawing)
            self._chart.update()
        elif any(new.values()):
            ui.run_javascript(f"brewslm.append({self._chart.id}, {json.dumps(new)})")
        self._say(page.state)

    def _say(self, state: str) -> None:
        told = [
            f"{self._drawing.names[name]} {self._drawing.say(points[-1][1])}" + (f" at step {points[-1][0]:,.0f}" * (not place))
            for place, (name, points) in enumerate(self._series.points.items()) if points
        ]  # fmt: skip
        said = f"{self.run_id}, {state}" + (f": {', '.join(told)}" if told else "")
        self._said.text = said
        put(self._frame, aria_label=f"{self._drawing.title} chart. {said}")


def options(points: dict[str, Points], drawing: Drawing = LOSS) -> dict[str, Any]:
    """The chart: steps along, values up from zero."""
    words = {"color": color("muted"), "fontSize": 12}
    axis = {
        "type": "value",
        "nameTextStyle": words,
        "axisLabel": words,
        "axisLine": {"lineStyle": {"color": color("line")}},
        "axisTick": {"show": False},
        "splitLine": {"lineStyle": {"color": color("line")}},
    }
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 48, "right": 16, "top": 32, "bottom": 40},
        "xAxis": axis
        | {"name": "optimizer step", "nameLocation": "middle", "nameGap": 26, "minInterval": 1, "splitLine": {"show": False}},
        "yAxis": axis | {"name": drawing.axis, "min": 0, "splitNumber": 4, "nameTextStyle": words | {"align": "left"}},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": color("surface"),
            "borderColor": color("edge"),
            "textStyle": {"color": color("text"), "fontSize": 12},
        },
        "series": series(points, drawing),
    }


def series(points: dict[str, Points], drawing: Drawing = LOSS) -> list[dict[str, Any]]:
    """What each step told as a line, what was measured now and then as points."""
    made: list[dict[str, Any]] = []
    for place, (name, (kind, _)) in enumerate(drawing.lines.items(), 1):
        ink = color(f"chart-{place}")
        one: dict[str, Any] = {
            "id": name,
            "name": drawing.names[name],
            "data": list(points[name]),
            "emphasis": {"disabled": True},
        }
        if kind == "step":
            alone = len(points[name]) == 1  # a line of one point could not be seen
            one |= {"type": "line", "showSymbol": alone, "symbolSize": 6, "lineStyle": {"width": 2, "color": ink}}
            made.append(one | {"itemStyle": {"color": ink}})
        else:
            one |= {"type": "scatter", "symbol": "diamond", "symbolSize": 11, "z": 3}
            made.append(one | {"itemStyle": {"color": ink, "opacity": 1}})
    return made
