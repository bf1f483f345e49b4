"""How long the rows of each split are, in tokens."""

from typing import Any

from nicegui import ui

from brewslm.web.theme import FONT, color

INKS = {"train": "chart-1", "dev": "chart-3", "eval": "chart-2", "gold": "chart-4"}


def token_chart(splits: dict[str, dict[str, Any]]) -> None:
    """Bars side by side for each length, in percent of the split's rows; the table beside it says the same."""
    made = ui.echart(options(splits), renderer="svg").classes("chart")
    made.props["role"], made.props["aria-label"] = "img", described(splits)


def described(splits: dict[str, dict[str, Any]]) -> str:
    """The chart in words."""
    said = [
        f"{name}: half have up to {one['tokens']['median']:,}, all up to {one['tokens']['most']:,}"
        for name, one in splits.items()
    ]
    return f"Rows by their length in tokens. {'; '.join(said)}"


def limits(splits: dict[str, dict[str, Any]]) -> list[int]:
    """Every power of two from the shortest bin that has rows to the longest."""
    found = sorted({int(limit) for one in splits.values() for limit in one["tokens"]["bins"]})
    every: list[int] = []
    while found and (not every or every[-1] < found[-1]):
        every.append(every[-1] * 2 if every else found[0])
    return every


def options(splits: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The chart; the name of a split stands over its highest bar."""
    words = {"color": color("muted"), "fontSize": 12}
    ends = limits(splits)
    series = []
    for name, one in splits.items():
        shares = [round(100 * one["tokens"]["bins"].get(str(end), 0) / one["rows"], 2) for end in ends]
        top = shares.index(max(shares))
        ink = color(INKS.get(name, "chart-6"))
        labels = [
            {
                "value": share,
                "label": {
                    "show": place == top,
                    "formatter": name,
                    "position": "top",
                    "rotate": 90,
                    "align": "left",
                    "verticalAlign": "middle",
                    "color": color("text"),
                },
            }
            for place, share in enumerate(shares)
        ]
        series.append(
            {
                "name": name,
                "type": "bar",
                "data": labels,
                "barMaxWidth": 40,
                "itemStyle": {"color": ink},
                "emphasis": {"disabled": True},
            }
        )
    axis = {
        "axisLabel": words,
        "nameTextStyle": words,
        "axisTick": {"show": False},
        "axisLine": {"lineStyle": {"color": color("line")}},
    }
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 56, "right": 16, "top": 64, "bottom": 48},
        "xAxis": axis
        | {
            "type": "category", "name": "tokens of a row", "nameLocation": "middle", "nameGap": 28,
            "data": [f"{end // 2 + 1:,}–{end:,}" if end > 1 else "1" for end in ends],
        },
        "yAxis": axis
        | {
            "type": "value", "min": 0, "nameGap": 36, "name": "% of the split's rows", "nameTextStyle": words | {"align": "left"},
            "splitLine": {"lineStyle": {"color": color("line")}},
        },
        "tooltip": {
            "trigger": "axis", "confine": True, "backgroundColor": color("surface"), "borderColor": color("edge"),
            "textStyle": {"color": color("text"), "fontSize": 12},
        },
        "series": series,
    }  # fmt: skip
