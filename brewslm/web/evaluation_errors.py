"""What the tuned model got wrong, in clusters; and how it did on parts of the rows."""

from collections.abc import Callable
from functools import partial

from brewslm.metrics.units import PLAIN
from brewslm.observe.evaluations import ErrorsView, error_analysis
from brewslm.observe.figures import counted
from brewslm.stages.evaluate.errors.analysis import Cluster
from brewslm.stages.evaluate.errors.slices import SliceFigures
from brewslm.web.evaluation_asked import Asked
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import Column, interval, table
from brewslm.web.words import Sign, percent, plain

WORSE = Sign("needs", "worse than the rest")


def errors_tab(asked: Asked) -> Callable[[], object]:
    """Read it.

    Raises:
        StageError(UnknownRun, NotAnalysed): See `error_analysis`.
    """
    return partial(_draw, asked, error_analysis(asked.evaluation or ""))


def _draw(asked: Asked, found: ErrorsView) -> None:
    with box("section", "card", aria_labelledby="clusters"):
        Text("h2", "Error clusters", id="clusters")
        wrong = f"{found.wrong:,} of {counted(found.n, 'row')} {'is' if found.wrong == 1 else 'are'} wrong"
        Text("p", f"{wrong}, in {counted(len(found.clusters), 'cluster')} whose names can be checked.", "muted figure")
        if found.note:
            Text("p", found.note, "muted")
        if not found.clusters:
            Text("p", "Nothing was wrong.", "empty")
        with box("ol", "clusters"):
            for cluster in found.clusters:
                _cluster(asked, cluster)
    report = found.slices
    if report is None:
        return
    with box("section", "card", aria_labelledby="slices"):
        Text("h2", "Slices", id="slices")
        few = f"; {report.too_small:,} more have too few rows" if report.too_small else ""
        said = f"{plain(report.metric_id)} on each part of the rows beside the rest, the worst first."
        Text("p", f"{said} {report.looked_at:,} were looked at{few}; p is corrected for so many.", "muted figure")
        columns = (
            Column[SliceFigures]("Slice", _name),
            Column[SliceFigures]("Rows", lambda one: f"{one.rows:,}", "figure"),
            Column[SliceFigures](plain(report.metric_id), partial(_metric, report.metric_id, True)),
            Column[SliceFigures]("The rest", partial(_metric, report.metric_id, False)),
            Column[SliceFigures]("p", lambda one: f"{one.p_corrected:.3f}", "figure"),
        )
        table("Slices", columns, report.slices, marked=lambda one: one.is_worse)


def _name(one: SliceFigures) -> None:
    Text("span", one.said)
    if one.is_worse:
        with box("div"):
            Badge(WORSE)


def _metric(metric_id: str, own: bool, one: SliceFigures) -> None:
    found = one.metric if own else one.rest_metric
    interval(found.value, found.low, found.high, share=metric_id not in PLAIN)


def _cluster(asked: Asked, cluster: Cluster) -> None:
    with box("li", "error-cluster"):
        with box("div", "card-head"):
            Text("h3", f"{cluster.id}: {cluster.name}")
            rows = counted(cluster.rows, "row")
            link(f"Read its {rows}", asked.address("rows", cluster=cluster.id))
        of = f" of the {cluster.of_rows:,} rows {cluster.sort}" if cluster.sort else f" of {cluster.of_rows:,} rows"
        Text("p", f"{rows}{of}; {percent(cluster.share)} of everything that is wrong.", "muted figure")
        if cluster.trait is not None:
            trait = cluster.trait
            said = (
                f"{trait.said}: true of {percent(trait.holds)} of them, and of {percent(trait.among_compared)} of the right ones"
            )
            Text("p", f"{said} (p {trait.p_value:.3g}).", "figure")
        with box("ul", "exemplars"):
            for one in cluster.exemplars:
                with box("li"):
                    link(one.row_id, f"/rows/{one.row_id}", "mono")
                    Text("span", f"“{one.quote}”" if one.quote else "")
                    Text("span", f"expected {one.expected}, said {one.output}", "muted")
        Text("p", f"Next: {cluster.next_step}", "muted")
