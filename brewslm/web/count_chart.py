"""How many fell on each day or hour: bars from zero, and the same as a table."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from nicegui import ui

from brewslm.observe.figures import counted
from brewslm.web.parts import Text, box
from brewslm.web.pieces import Column, table
from brewslm.web.theme import FONT, color

FEW = 2
BARS_SHOWN = 200


def count_chart(found: Sequence[tuple[str, int]], by: str) -> None:
    """The bars, newest last.

    Args:
        found: When ("2026-11-30" or "2026-11-30T14", UTC) to how many; moments without any are left out.
        by: day or hour.
    """
    most = max(found, key=lambda one: one[1])
    units = counted(len(found), by)
    said = f"{counted(sum(count for _, count in found), 'event')} on {units}, the most on {_said(most[0])}: {most[1]:,}"
    Text("p", said, "muted figure")
    if len(found) > FEW:
        with box("div", "", role="img", aria_label=f"Events by {by}: {said}"):
            ui.echart(_options(every(found, by)), renderer="svg").classes("chart chart-low")
    with box("details", "facet-more"):
        Text("summary", "As a table")
        table(
            f"Events by {by}",
            (
                Column[tuple[str, int]](by.capitalize(), lambda one: _said(one[0])),
                Column[tuple[str, int]]("Events", lambda one: f"{one[1]:,}", "figure"),
            ),
            found[-BARS_SHOWN:][::-1],
        )


def every(found: Sequence[tuple[str, int]], by: str) -> list[tuple[str, int]]:
    """With the moments between that had none, so that the line of time is even; the newest `BARS_SHOWN`."""
    step, spelling = (timedelta(hours=1), "%Y-%m-%dT%H") if by == "hour" else (timedelta(days=1), "%Y-%m-%d")
    counts = dict(found)
    ends = datetime.strptime(found[-1][0], spelling)
    at = max(datetime.strptime(found[0][0], spelling), ends - (BARS_SHOWN - 1) * step)
    bars = []
    while at <= ends:
        bars.append((at.strftime(spelling), counts.get(at.strftime(spelling), 0)))
        at += step
    return bars


def _said(at: str) -> str:
    return f"{at.replace('T', ' ')}:00" if "T" in at else at


def _options(shown: Sequence[tuple[str, int]]) -> dict[str, Any]:
    words = {"color": color("muted"), "fontSize": 12}
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 40, "right": 8, "top": 24, "bottom": 24},
        "xAxis": {
            "type": "category",
            "data": [_said(at) for at, _ in shown],
            "axisLabel": words | {"hideOverlap": True},
            "axisLine": {"lineStyle": {"color": color("line")}},
            "axisTick": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "minInterval": 1,
            "name": "events",
            "nameTextStyle": words,
            "axisLabel": words,
            "splitLine": {"lineStyle": {"color": color("line")}},
        },
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": color("surface"),
            "borderColor": color("edge"),
            "textStyle": {"color": color("text"), "fontSize": 12},
        },
        "series": [
            {
                "type": "bar",
                "name": "events",
                "data": [count for _, count in shown],
                "barMaxWidth": 24,
                "itemStyle": {"color": color("chart-1")},
                "emphasis": {"disabled": True},
            }
        ],
    }
