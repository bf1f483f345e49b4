"""The loss of one training run, drawn while it is trained."""

import json
from typing import Any

import anyio
from nicegui import ui

from brewslm.observe.trace import TracePage, trace
from brewslm.web.parts import Text, box, put
from brewslm.web.theme import FONT, color

MOST_POINTS = 1000
Points = list[list[float]]


class LossSeries:
    """Points of a trace, never more than `MOST_POINTS` a line: when a line is full, every second point goes.

    Attributes:
        points: "loss" and "dev" → [[step, loss], ...].
        stride: Only steps that this number divides are kept for "loss".
    """

    def __init__(self) -> None:
        self.points: dict[str, Points] = {"loss": [], "dev": []}
        self.stride = 1

    def add(self, lines: list[dict[str, Any]]) -> dict[str, Points] | None:
        """Add what a trace page brought.

        Returns:
            The points that are new; None when the line was thinned, and has to be drawn anew.
        """
        new: dict[str, Points] = {"loss": [], "dev": []}
        thinned = False
        for line in lines:
            name, field = ("loss", "loss") if line["kind"] == "step" else ("dev", "dev_loss")
            if name == "loss" and line["step"] % self.stride:
                continue
            point = [line["step"], round(line[field], 5)]
            self.points[name].append(point)
            new[name].append(point)
            if len(self.points[name]) > MOST_POINTS:
                thinned = True
                self._thin(name)
        return None if thinned else new

    def _thin(self, name: str) -> None:
        if name == "loss":
            self.stride *= 2
            self.points[name] = [point for point in self.points[name] if not point[0] % self.stride]
        else:
            self.points[name] = self.points[name][1::2]


class LossChart:
    """The chart; `look` asks for what was added to the trace since the last look.

    Args:
        run_id: The experiment.
        page: Its trace from the beginning.
    """

    def __init__(self, run_id: str, page: TracePage) -> None:
        self.run_id = run_id
        self._series, self._next = LossSeries(), page.next
        self._series.add(page.lines)
        self._said = Text("p", "", "muted figure")
        with box("div", "", role="img") as self._frame:  # an attribute of the chart itself would send its series again
            self._chart = ui.echart(options(self._series.points), renderer="svg").classes("chart")
        with box("p", "chart-key muted", aria_hidden="true"):
            Text("span", "loss of each step", "key key-line")
            Text("span", "dev loss", "key key-point")
        self._say(page.state)

    async def look(self) -> None:
        """Draw what is new."""
        page = await anyio.to_thread.run_sync(trace, self.run_id, self._next)
        cut = page.next < self._next  # the run was resumed from a checkpoint
        if cut:
            self._series = LossSeries()
            page = await anyio.to_thread.run_sync(trace, self.run_id, 0)
        self._next = page.next
        new = self._series.add(page.lines)
        if cut or new is None:
            self._chart.options["series"] = series(self._series.points)
            self._chart.update()
        elif any(new.values()):
            ui.run_javascript(f"brewslm.append({self._chart.id}, {json.dumps(new)})")
        self._say(page.state)

    def _say(self, state: str) -> None:
        loss, dev = self._series.points["loss"], self._series.points["dev"]
        said = f"{self.run_id}, {state}"
        if loss:
            said += f": loss {loss[-1][1]:.3g} at step {loss[-1][0]:,.0f}"
        if dev:
            said += f", dev loss {dev[-1][1]:.3g}"
        self._said.text = said
        put(self._frame, aria_label=f"Loss chart. {said}")


def options(points: dict[str, Points]) -> dict[str, Any]:
    """The chart: steps along, loss up from zero."""
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
        "yAxis": axis | {"name": "loss (nats a token)", "min": 0, "nameTextStyle": words | {"align": "left"}},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": color("surface"),
            "borderColor": color("edge"),
            "textStyle": {"color": color("text"), "fontSize": 12},
        },
        "series": series(points),
    }


def series(points: dict[str, Points]) -> list[dict[str, Any]]:
    """Training loss as a line, dev loss as points: it is measured now and then, and nothing is known between."""
    still = {"emphasis": {"disabled": True}}
    alone = len(points["loss"]) == 1  # a line of one point could not be seen
    return [
        {
            "id": "loss", "name": "loss", "type": "line", "data": list(points["loss"]), "showSymbol": alone, "symbolSize": 6,
            "lineStyle": {"width": 2, "color": color("chart-1")}, "itemStyle": {"color": color("chart-1")},
        } | still,
        {
            "id": "dev", "name": "dev loss", "type": "scatter", "data": list(points["dev"]), "symbol": "diamond",
            "symbolSize": 11, "itemStyle": {"color": color("chart-2"), "opacity": 1}, "z": 3,
        } | still,
    ]  # fmt: skip
