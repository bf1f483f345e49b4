"""brewslm errors and brewslm compare: what evaluations still get wrong, and what changed between them."""

from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import Json, print_json, print_line, print_table, problems

if TYPE_CHECKING:
    from brewslm.observe.evaluations import Comparison, ErrorsView
    from brewslm.stages.evaluate.errors import Cluster, SliceReport

WIDTH, INDENT = 80, "      "
LISTED = 10
"""Clusters, or rows of a kind, that are shown; --json has all."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(errors)
    app.command()(compare)


def errors(
    evaluation: Annotated[str, typer.Option(help="An evaluation, such as eval-1; see brewslm task list.")], json: Json = False
) -> None:
    """Tell what an evaluation's tuned model still gets wrong: clusters with names that can be checked, and what to do."""
    from brewslm.observe.evaluations import error_analysis

    with problems(json):
        found = error_analysis(evaluation)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    for line in _told(found):
        print_line(line)


def compare(
    evaluations: Annotated[list[str], typer.Argument(help="Two to five, such as eval-1 eval-2.")],
    json: Json = False,
) -> None:
    """Hold evaluations of the same rows against the first one, row by row: fixed, broken, still wrong, right in both."""
    from brewslm.observe.evaluations import comparison

    with problems(json):
        found = comparison(evaluations)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    _show_comparison(found)


def cluster_lines(found: "ErrorsView") -> list[str]:
    """Each of the larger clusters in short: how many rows, its name, and what its trait is among right rows."""
    lines = []
    for cluster in found.clusters[:LISTED]:
        lines += _wrapped(f"{cluster.rows:>5,}  {cluster.name}", "", " " * 7)
        if cluster.trait is not None:
            lines += _wrapped(_trait(cluster), " " * 7, " " * 9)
    return lines


def _told(found: "ErrorsView") -> list[str]:
    share = f" ({100 * found.wrong / found.n:.1f} %)" if found.n else ""
    lines = [f"{found.evaluation} of {found.experiment}: {found.wrong:,} of {found.n:,} rows are wrong{share}"]
    lines += [f"  {found.note}"] if found.note else []
    for cluster in found.clusters[:LISTED]:
        lines += ["", *_cluster(cluster)]
    more = found.clusters[LISTED:]
    if more:
        rows = sum(cluster.rows for cluster in more)
        lines += ["", f"  {len(more):,} smaller clusters with {rows:,} rows: see --json"]
    return lines + (["", *_slices(found.slices)] if found.slices else [])


def _slices(report: "SliceReport") -> list[str]:
    """Those that are worse; how many were looked at."""
    worse = [one for one in report.slices if one.is_worse]
    said = f"{len(worse):,} of the {report.looked_at:,} slices looked at are worse than the rest" if report.slices else ""
    lines = _wrapped(said or "no slice has rows enough to be looked at", "")
    for one in worse[:LISTED]:
        lines += _wrapped(f"{one.said}, {one.rows:,} rows", "  ")
        rest = one.rest_metric
        lines += _wrapped(
            f"{report.metric_id} {_number3(one.metric.value)}, 95 % between {_number3(one.metric.low)} and "
            f"{_number3(one.metric.high)}; the rest {_number3(rest.value)}; p {_p(one.p_corrected)}"
        )  # fmt: skip
    return lines


def _number3(value: float) -> str:
    return f"{value:.3f}"


def _cluster(cluster: "Cluster") -> list[str]:
    sort = f"of the {cluster.of_rows:,} rows {cluster.sort}" if cluster.sort else f"of all {cluster.of_rows:,} rows"
    rows = "row" if cluster.rows == 1 else "rows"
    lines = _wrapped(f"{cluster.id:<4}{cluster.name}", "  ", INDENT)
    lines += _wrapped(
        f"{cluster.rows:,} {rows}, {100 * cluster.share:.1f} % of the wrong; {100 * cluster.rows / cluster.of_rows:.1f} % {sort}"
    )
    lines += _wrapped(_trait(cluster))
    for one in cluster.exemplars:
        lines += [f"{INDENT}{one.row_id}"]
        lines += _wrapped(f'"{one.quote}"', INDENT + "  ") if one.quote else []
        lines += _wrapped(f"expected {one.expected}; said {one.output}", INDENT + "  ")
    return [*lines, *_wrapped(f"next: {cluster.next_step}")]


def _trait(cluster: "Cluster") -> str:
    if cluster.trait is None:
        known = f"true of {100 * cluster.holds:.0f} % of these rows, {100 * cluster.among_right:.1f} % of all right rows"
        return f"{known}; no common trait found besides ({cluster.traits_tried:,} tried)"
    trait = cluster.trait
    like = f", {100 * trait.among_compared:.1f} % of those {cluster.sort}" if cluster.sort else ""
    return f"{trait.said}: {100 * trait.holds:.0f} % of these rows, {100 * trait.among_right:.1f} % of all right rows{like}"


def _wrapped(text: str, first: str = INDENT, then: str = "") -> list[str]:
    return wrap(text, WIDTH, initial_indent=first, subsequent_indent=then or first + "  ") if text else []


def _show_comparison(found: "Comparison") -> None:
    print_line(f"{found.n:,} rows of manifest v{found.manifest_version}, {found.task_profile}")
    header = ("", "right", "fixed", "broken", "still wrong", "right in both", "p")
    table = []
    for one in found.evaluations:
        changes = [len(one.fixed), len(one.broken), len(one.still_wrong), len(one.right_in_both)]
        tested = ["" for _ in changes] + [""] if one.p_corrected is None else [*map(_number, changes), _p(one.p_corrected)]
        table.append((f"  {one.evaluation} {one.experiment}", f"{one.correct:,}", *tested))
    print_table(table, header)
    print_line(f"  right in all {found.always_right:,}, wrong in all {found.always_wrong:,}")
    for one in found.evaluations[1:]:
        for kind in ("broken", "fixed"):
            rows = getattr(one, kind)
            if rows:
                print_line(f"{kind} in {one.evaluation}: {len(rows):,}")
                _show_rows(found, rows)
    print_line("p is McNemar's exact test, corrected by Holm for all that were compared.")
    print_line("A row's whole life:  brewslm row show ID")


def _show_rows(found: "Comparison", rows: list[str]) -> None:
    by_id = {row.row_id: row for row in found.changed}
    for row_id in rows[:LISTED]:
        row = by_id[row_id]
        said = " | ".join(_short(output) for output in row.outputs)
        print_line(f"  {row_id}")
        for line in _wrapped(f"expected {_short(row.expected)}; said {said}", "    "):
            print_line(line)
    if len(rows) > LISTED:
        print_line(f"  and {len(rows) - LISTED:,} more: see --json")


def _short(value: Any) -> str:
    from brewslm.stages.evaluate.errors.analysis import shortened

    return shortened(value, 50)


def _number(count: int) -> str:
    return f"{count:,}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"
