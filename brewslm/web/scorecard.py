"""A scorecard: the tuned model against its base and the cheap baselines, with the intervals drawn."""

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from brewslm.handlers.base import Metric
from brewslm.handlers.gates import GateOutcome
from brewslm.metrics.units import PLAIN, said
from brewslm.observe.figures import counted
from brewslm.observe.gatewords import about, bound, condition, outcome
from brewslm.observe.scorecards import ScorecardView
from brewslm.stages.evaluate.scorecard import Scorecard
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.rail import run_address
from brewslm.web.theme import FONT, color
from brewslm.web.words import Sign, percent, plain, with_interval

PROMOTABLE, REFUSED = Sign("done", "promotable"), Sign("needs", "gates not met")
TRIED = Sign("needs", "gates met, in a try")
ROW_HEIGHT = 44
NO_BREAK = "\u00a0"


def scorecard_card(project: int, view: ScorecardView) -> None:
    """The chart, and the same figures as a table."""
    card = view.card
    with box("div", "card-head"):
        Text("h2", "Scorecard")
        Badge(PROMOTABLE if card.promotable else TRIED if card.only_tried else REFUSED)
    with box("p", "muted"):
        whose = f"promoted as {view.deployment}" if view.deployment else "not promoted"
        Text("span", f"{card.experiment_id}, {whose}, on {card.n:,} held-out rows; measured by ")
        link(view.evaluation, run_address(project, view.evaluation), "mono")
    figures(card)
    _gates(card, f"/projects/{project}/evaluation?evaluation={view.evaluation}")


def figures(card: Scorecard) -> None:
    """Every system's figure with its interval, drawn and as a table; and what the rows can tell."""
    chart = ui.echart(options(card), renderer="svg").classes("chart-bars")
    chart.style(f"height: {len(card.systems) * ROW_HEIGHT + 52}px")
    chart.props["role"], chart.props["aria-label"] = "img", described(card)
    _table(card)
    Text("p", card.power.sentence, "muted")


def described(card: Scorecard) -> str:
    """The chart in words."""
    told = [f"{plain(name)} {said(card.primary_metric, card.primary(name).value)}" for name in card.systems]
    return f"{plain(card.primary_metric)} with 95 % intervals: {', '.join(told)}"


def options(card: Scorecard) -> dict[str, Any]:
    """One line a system: its figure as a point, its 95 % interval as a bar, its name and figure beside it."""
    words = {"color": color("muted"), "fontSize": 12}
    names = list(card.systems)[::-1]  # the first category stands at the bottom
    plainly = card.primary_metric in PLAIN  # no share: in its own unit, with an axis of its own
    scale = 1 if plainly else 100
    points: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []
    for name in names:
        metric = card.primary(name)
        ink = color("chart-1" if name == "tuned" else "chart-6")
        told = with_interval(metric.value, metric.low, metric.high)
        if plainly:
            told = f"{said(card.primary_metric, metric.value)} ({metric.low:.3g} to {metric.high:.3g})"
        points.append({
            "value": [round(metric.value * scale, 2), plain(name)],
            "itemStyle": {"color": ink, "opacity": 1},
            "label": {"show": True, "formatter": told, "position": "top", "color": color("text")},
        })  # fmt: skip
        ends = [[round(end * scale, 2), plain(name)] for end in (metric.low, metric.high)]
        spans.append({
            "type": "line", "data": ends, "symbol": "rect", "symbolSize": [2, 12], "silent": True,
            "lineStyle": {"width": 3, "color": ink}, "itemStyle": {"color": ink}, "emphasis": {"disabled": True},
        })  # fmt: skip
    still = {"emphasis": {"disabled": True}, "silent": True}
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 116, "right": 40, "top": 16, "bottom": 40},
        "xAxis": {
            "type": "value",
            "min": 0,
            "max": None if plainly else 100,
            "name": plain(card.primary_metric) + ("" if plainly else " (%)"),
            "nameLocation": "middle",
            "nameGap": 26,
            "nameTextStyle": words,
            "axisLabel": words,
            "splitLine": {"lineStyle": {"color": color("line")}},
        },
        "yAxis": {
            "type": "category",
            "data": [plain(name) for name in names],
            "axisLabel": {"color": color("text"), "fontSize": 12, "width": 104, "overflow": "truncate"},
            "axisTick": {"show": False},
            "axisLine": {"lineStyle": {"color": color("edge")}},
        },
        "series": [*spans, {"type": "scatter", "data": points, "symbolSize": 11, "z": 3} | still],
    }


def _table(card: Scorecard) -> None:
    wide = box("div", "wide", tabindex="0", role="region", aria_label="Figures of every system")
    with wide, box("table", "figures rows stacks"):
        heads = ("System", f"{plain(card.primary_metric)} (95 % interval)", "Right rows", "Tuned against it")
        with box("thead"), box("tr"):
            for head in heads:
                Text("th", head, scope="col")
        with box("tbody"):
            for name, system in card.systems.items():
                metric = card.primary(name)
                with box("tr"):
                    Text(
                        "th",
                        plain(name) + (f" ({system.prompt} prompt)" if name == "base" and system.prompt else ""),
                        scope="row",
                    )
                    cells = (_interval(card.primary_metric, metric), f"{system.correct:,} of {card.n:,}", _against(card, name))
                    for head, cell in zip(heads[1:], cells, strict=True):
                        Text("td", cell, data_head=head)


def _interval(metric_id: str, metric: Metric) -> str:
    if metric_id in PLAIN:
        return f"{said(metric_id, metric.value)} ({metric.low:.3g} – {metric.high:.3g})"
    return f"{percent(metric.value)} ({metric.low * 100:.1f} – {metric.high * 100:.1f})"


def _gates(card: Scorecard, target: str) -> None:
    """How many gates are met; of each other one its figure, what was asked for, the bound that had to clear it, and the rows."""
    if not card.gates:
        return
    missed = [gate for gate in card.gates if not gate.met]
    Text("h3", f"Gates of {card.eval_pack}")
    with box("p"):
        Text("span", f"{len(card.gates) - len(missed):,} of {counted(len(card.gates), 'gate')} met. ", "figure")
        link("See each of them" if not missed else "See why, and what to do", target)
    if missed:
        _missed(missed)


def _missed(gates: Sequence[GateOutcome]) -> None:
    wide = box("div", "wide", tabindex="0", role="region", aria_label="Gates that are not met")
    with wide, box("table", "figures folded rows stacks"):
        heads = ("Gate", "Tuned", "Asked for", "Surely", "Rows")
        with box("thead"), box("tr"):
            for head in heads:
                Text("th", head, scope="col")
        with box("tbody"):
            for gate in gates:
                value = "–" if gate.value is None else said(gate.metric_id, gate.value)
                with box("tr"):
                    with box("th", scope="row"):
                        Text("div", plain(gate.gate_id))
                        Badge(Sign(gate_state(gate), outcome(gate)))
                    cells = (f"{plain(about(gate))} {value}", condition(gate), bound(gate), f"{gate.n:,}")
                    for head, cell in zip(heads[1:], cells, strict=True):
                        Text("td", cell.replace(" %", f"{NO_BREAK}%").replace("≥ ", f"≥{NO_BREAK}"), data_head=head)


def gate_state(gate: GateOutcome) -> str:
    """The token of its state: amber where the rows can't tell, or where it does not decide."""
    return "done" if gate.met else "needs" if gate.undecidable or not gate.required else "failed"


def _against(card: Scorecard, name: str) -> str:
    """What McNemar's test says of the tuned model against this system."""
    paired = card.paired.get(name)
    if paired is None:
        return ""
    chance = "p < 0.001" if paired.p_value < 0.001 else f"p = {paired.p_value:.3f}"
    told = (f"{paired.wins:,} won", f"{paired.losses:,} lost", chance)
    return ", ".join(part.replace(" ", NO_BREAK) for part in told)
