"""The variants of an export as a chart and a table, and the one to take."""

from collections.abc import Callable

from brewslm.metrics.units import said, said_gap
from brewslm.observe.compression import CompressionView
from brewslm.observe.exports import ExportView
from brewslm.stages.export.choosing import Variant
from brewslm.stages.export.job import Artifact
from brewslm.web.pareto_chart import pareto_chart
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import Column, table
from brewslm.web.words import Sign, file_size, percent, plain


def unmeasured_card(export: ExportView, why_not: dict[str, str]) -> None:
    """What the export itself knows: size, and nearness to the trained model."""
    with box("section", "card", aria_labelledby="variants"):
        Text("h2", f"Variants of {export.id}", id="variants")
        Text("p", "They were not measured yet: what each is worth on held-out rows is not known.", "empty")
        columns: tuple[Column[tuple[str, Artifact]], ...] = (
            Column("Variant", lambda pair: link(pair[0], f"/models/{export.id}:{pair[0]}", "mono") and None),
            Column("Size", lambda pair: file_size(pair[1].size_bytes), "figure"),
            Column("Same tokens", lambda pair: "–" if pair[1].agreement is None else percent(pair[1].agreement), "figure"),
            Column("KL (nats a token)", lambda pair: _short(pair[1].kl), "figure"),
            Column("May be promoted", lambda pair: _may(pair[0], why_not)),
        )
        table(f"Variants of {export.id}", columns, list(export.artifacts.items()))


def measured_card(export: ExportView, view: CompressionView, why_not: dict[str, str]) -> None:
    """The chart, and beside it the same figures with all others."""
    with box("section", "card", aria_labelledby="quality"):
        Text("h2", f"Size and {plain(view.metric)}", id="quality")
        about = (
            f"On {view.n:,} held-out rows, with 95 % intervals. Filled points are on the frontier of size, speed and nearness."
        )
        Text("p", about, "muted")
        pareto_chart(view)
        columns: tuple[Column[Variant], ...] = (
            Column("Variant", lambda one: link(one.variant, f"/models/{export.id}:{one.variant}", "mono") and None),
            Column("Size", lambda one: file_size(one.size_bytes), "figure"),
            Column("Bits a weight", lambda one: f"{one.bits_per_weight:.2f}", "figure"),
            Column(plain(view.metric).capitalize(), lambda one: _metric(one, view.metric), "figure"),
            Column(f"To {view.reference}", lambda one: _apart(one, view), "figure"),
            Column("KL (nats a token)", lambda one: _short(one.kl), "figure"),
            Column("Writes", lambda one: _pace(one.writes_per_second), "figure"),
            Column("Reads", lambda one: _pace(one.reads_per_second), "figure"),
            Column("Memory", lambda one: "–" if one.peak_memory_bytes is None else file_size(one.peak_memory_bytes), "figure"),
            Column("Frontier", lambda one: "yes" if one.variant in view.pareto else "no"),
            Column("May be promoted", lambda one: _may(one.variant, why_not)),
        )
        chosen = view.recommendation.variant
        table("Variants, measured", columns, view.variants, marked=lambda one: one.variant == chosen)
        for name, why in view.skipped.items():
            Text("p", f"{name} was not measured: {why}", "muted")


def choice_card(view: CompressionView, limits: Callable[[], None]) -> None:
    """Which to take and why, and why not each other; the limits draw themselves."""
    taken = view.recommendation
    with box("section", "card", aria_labelledby="choice"):
        Text("h2", f"Take {taken.variant}" if taken.variant else "Take none of them", id="choice")
        Text("p", f"{taken.why[0].upper()}{taken.why[1:]}.")
        with box("dl", "values"):
            for name, why in taken.left_out.items():
                Text("dt", name, "mono")
                Text("dd", why)
        limits()


def _may(variant: str, why_not: dict[str, str]) -> None:
    if variant not in why_not:
        Text("span", "not served", "muted")
    elif why_not[variant]:
        Badge(Sign("needs", "no"))
        Text("p", why_not[variant], "muted why")
    else:
        Badge(Sign("done", "yes"))


def _metric(one: Variant, metric: str) -> str:
    return f"{said(metric, one.metric.value)} ({said(metric, one.metric.low)} to {said(metric, one.metric.high)})"


def _apart(one: Variant, view: CompressionView) -> str | None:
    apart = one.difference
    if apart is None:
        return one.note or ("reference" if one.variant == view.reference else "–")
    ends = f"({said_gap(view.metric, apart.low)} to {said_gap(view.metric, apart.high)})"
    Text("span", f"{said_gap(view.metric, apart.value)} {ends}")
    if apart.worse:
        Badge(Sign("failed", "worse"))
    return None


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"


def _pace(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} tok/s"
