"""Size against quality of an export's variants: a point for each, with the interval of its figure."""

from math import ceil, floor
from typing import Any

from nicegui import ui

from brewslm.metrics.units import PLAIN, said
from brewslm.observe.compression import CompressionView
from brewslm.observe.figures import counted
from brewslm.stages.export.choosing import Variant
from brewslm.web.theme import FONT, color
from brewslm.web.words import file_size, plain

ROWS, ROW_HEIGHT = 3, 16
"""Of the names over the points."""


def pareto_chart(view: CompressionView) -> None:
    """The chart; the table beside it has the same figures."""
    with ui.element("div") as frame:
        ui.echart(options(view), renderer="svg").classes("chart chart-pareto")
    frame.props["role"], frame.props["aria-label"] = "img", described(view)


def described(view: CompressionView) -> str:
    """The chart in words."""
    each = [f"{one.variant} {file_size(one.size_bytes)} {said(view.metric, one.metric.value)}" for one in view.variants]
    return f"Size and {plain(view.metric)} on {counted(view.n, 'row')}: {', '.join(each)}"


def options(view: CompressionView) -> dict[str, Any]:
    """Megabytes along from zero, the metric up; filled points are on the frontier, hollow ones are not."""
    words = {"color": color("muted"), "fontSize": 12}
    scale, unit = (1, "") if view.metric in PLAIN else (100, " (%)")
    still = {"emphasis": {"disabled": True}, "silent": True}
    ends = [scale * end for one in view.variants for end in (one.metric.low, one.metric.high)]
    room = max((max(ends) - min(ends)) * 0.1, 0.01)
    axis = {
        "type": "value", "nameTextStyle": words, "axisLabel": words, "splitLine": {"lineStyle": {"color": color("line")}},
        "axisLine": {"lineStyle": {"color": color("edge")}}, "axisTick": {"show": False},
    }  # fmt: skip
    low, high = round(min(ends) - room, 2), round(max(ends) + room, 2)
    if unit:
        low, high = max(0, floor(low)), min(100, ceil(high))
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 56, "right": 40, "top": 76, "bottom": 40},
        "xAxis": axis | {"name": "size (MB)", "nameLocation": "middle", "nameGap": 26, "min": 0, "splitLine": {"show": False}},
        "yAxis": axis
        | {
            "name": f"{plain(view.metric)}{unit}", "nameTextStyle": words | {"align": "left"},
            "nameGap": 52, "min": low, "max": high, "splitNumber": 4,
        },
        "series": [
            *(_span(one, view, scale) | still for one in view.variants),
            {"type": "scatter", "symbolSize": 11, "z": 3, "data": [_point(one, view, scale) for one in view.variants]} | still,
            {"type": "scatter", "symbolSize": 0.1, "z": 4, "data": _labels(view, scale)} | still,
        ],
    }  # fmt: skip


def _ink(one: Variant, view: CompressionView) -> str:
    if one.variant == view.reference:
        return color("chart-6")
    return color("failed" if one.worse else "chart-1")


def _point(one: Variant, view: CompressionView, scale: int) -> dict[str, Any]:
    ink, on_frontier = _ink(one, view), one.variant in view.pareto
    return {
        "value": [round(one.size_bytes / 1e6, 1), round(scale * one.metric.value, 3)],
        "itemStyle": {"color": ink if on_frontier else color("surface"), "borderColor": ink, "borderWidth": 2, "opacity": 1},
    }


def _labels(view: CompressionView, scale: int) -> list[dict[str, Any]]:
    """Over each interval its variant's name, in `ROWS` rows, so that neighbours do not cover each other."""
    top = max(scale * one.metric.high for one in view.variants)
    found = []
    for place, one in enumerate(sorted(view.variants, key=lambda one: one.size_bytes)):
        notes = [
            *(["reference"] if one.variant == view.reference else []),
            *(["worse"] if one.worse else []),
            *(["take it"] if one.variant == view.recommendation.variant else []),
        ]
        said = one.variant + (f" ({', '.join(notes)})" if notes else "")
        label = {"show": True, "position": "top", "offset": [0, -ROW_HEIGHT * (place % ROWS)], "color": color("text")}
        found.append(
            {
                "value": [round(one.size_bytes / 1e6, 1), round(top, 3)],
                "itemStyle": {"opacity": 1},
                "label": label | {"formatter": said},
            }
        )
    return found


def _span(one: Variant, view: CompressionView, scale: int) -> dict[str, Any]:
    size = round(one.size_bytes / 1e6, 1)
    return {
        "type": "line", "data": [[size, round(scale * end, 3)] for end in (one.metric.low, one.metric.high)], "symbol": "rect",
        "symbolSize": [10, 2], "lineStyle": {"width": 2, "color": _ink(one, view)}, "itemStyle": {"color": _ink(one, view)},
    }  # fmt: skip
