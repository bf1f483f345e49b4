"""What a version answered at each look, against what it answered when it was promoted."""

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from brewslm.metrics.units import PLAIN, said
from brewslm.observe.drift import CheckView
from brewslm.web.theme import FONT, color
from brewslm.web.words import plain

MOST = 60
"""Looks that are drawn, the newest."""


def drift_chart(found: Sequence[CheckView]) -> None:
    """Points with their 95 % intervals, of the newest version's checks by its metric; nothing where none was made.

    Args:
        found: Newest first.
    """
    newest = next((one for one in found if one.look is not None), None)
    if newest is None:
        return
    alike = [one for one in found if one.look is not None and (one.deployment, one.metric) == (newest.deployment, newest.metric)]
    shown = alike[:MOST][::-1]
    chart = ui.echart(options(shown), renderer="svg").classes("chart")
    chart.props["role"], chart.props["aria-label"] = "img", described(shown)


def described(shown: Sequence[CheckView]) -> str:
    """The chart in words."""
    newest = shown[-1]
    return (
        f"{plain(newest.metric)} of {newest.name} at {len(shown):,} looks with 95 % intervals, the newest "
        f"{said(newest.metric, newest.value)}; it was {said(newest.metric, newest.before)}"
    )


def options(shown: Sequence[CheckView]) -> dict[str, Any]:
    """Looks along, the metric up; a dashed line where it was when it was promoted.

    Args:
        shown: Of one version and metric, oldest first.
    """
    newest, words = shown[-1], {"color": color("muted"), "fontSize": 12}
    scale = 1 if newest.metric in PLAIN else 100
    looks = [str(one.look) for one in shown]
    unit = "" if newest.metric in PLAIN else " (%)"
    still = {"emphasis": {"disabled": True}, "silent": True}
    ends = [scale * bound for one in shown for bound in (one.low, one.high, one.before)]
    room = max((max(ends) - min(ends)) * 0.15, 0.01)
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 56, "right": 24, "top": 32, "bottom": 40},
        "xAxis": {
            "type": "category", "data": looks, "name": "look", "nameLocation": "middle", "nameGap": 26, "nameTextStyle": words,
            "axisLabel": words, "axisTick": {"show": False}, "axisLine": {"lineStyle": {"color": color("edge")}},
        },
        "yAxis": {
            "type": "value", "name": f"{plain(newest.metric)}{unit}", "nameTextStyle": words | {"align": "left"},
            "min": round(min(ends) - room, 2), "max": round(max(ends) + room, 2), "axisLabel": words | {"formatter": "{value}"},
            "splitLine": {"lineStyle": {"color": color("line")}}, "splitNumber": 4,
        },
        "series": [
            *(_span(one, scale) | still for one in shown),
            {
                "type": "scatter", "symbolSize": 9, "z": 3,
                "data": [_point(one, scale, last=one is newest) for one in shown],
                "markLine": {
                    "symbol": "none", "silent": True, "lineStyle": {"type": "dashed", "color": color("chart-6")},
                    "data": [{"yAxis": round(scale * newest.before, 4)}],
                    "label": {
                        "formatter": f"when promoted {said(newest.metric, newest.before)}", "position": "insideStartBottom",
                        "color": color("muted"),
                    },
                },
            } | still,
        ],
    }  # fmt: skip


def _point(one: CheckView, scale: int, last: bool) -> dict[str, Any]:
    ink = color("failed" if one.verdict == "drifted" else "chart-1")
    label = {"show": last, "formatter": said(one.metric, one.value), "position": "top"}
    return {
        "value": [str(one.look), round(scale * one.value, 3)],
        "itemStyle": {"color": ink, "opacity": 1},
        "label": label | {"color": color("text")},
    }


def _span(one: CheckView, scale: int) -> dict[str, Any]:
    ink = color("failed" if one.verdict == "drifted" else "chart-1")
    ends = [[str(one.look), round(scale * end, 3)] for end in (one.low, one.high)]
    return {"type": "line", "data": ends, "symbol": "rect", "symbolSize": [10, 2], "lineStyle": {"width": 2, "color": ink},
            "itemStyle": {"color": ink}}  # fmt: skip
