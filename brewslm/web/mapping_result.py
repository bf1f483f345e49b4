"""What a dry run or a commit came to: accepted and rejected rows, the reasons, the labels, and a sample of each."""

from functools import cache
from typing import Any

from brewslm.observe.reasons import ReasonView, every_reason
from brewslm.pipeline.runs import RunView
from brewslm.stages.mapping import Preview
from brewslm.web.introspection import field_map
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.words import Sign, percent

LABELS_SHOWN = 12
SAMPLE_CHARACTERS = 400
_DRAWN = {
    "sample": "{0:,} of the source's {1:,} rows, drawn from all of it (the same ones each time).",
    "head": "The source's first {0:,} rows: to fetch it whole would be dear.",
}


@cache
def row_reasons() -> dict[str, ReasonView]:
    """Code to what it means and what to do, of rows."""
    return {one.code: one for one in every_reason() if one.kind == "row"}


def by_reason(counts: dict[str, int]) -> str:
    """ "neutral_score 293, empty_text 2", the largest first."""
    return ", ".join(f"{reason} {count:,}" for reason, count in _largest_first(counts))


def _largest_first(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def counts_of(result: dict[str, Any]) -> None:
    """The mapping and the counts of a preview or a commit's result."""
    accepted, rejected, confidence = result["accepted_count"], result["rejected_count"], result["confidence"]
    with box("p", "event-head figure"):
        Badge(Sign("done", f"{accepted:,} accepted"))
        Badge(Sign("needs" if rejected else "idle", f"{rejected:,} rejected"))
        Text("span", f"of {accepted + rejected:,} rows", "muted")
    sure = "named by you" if confidence is None else f"confidence {confidence:.2f}"
    mapping = f"{result['mapper_id']} → {result['target_task_profile']}, {sure}"
    Text("p", f"{mapping}: {field_map(result['field_map'])}", "muted")
    if result["drawn"] in _DRAWN:
        Text("p", _DRAWN[result["drawn"]].format(accepted + rejected, result["source_rows"]), "muted figure")
    for note in result["notes"]:
        with box("p", "note"):
            Badge(Sign("needs", f"but: {note}"))
    if result["rejection_counts"]:
        _rejections(result["rejection_counts"])
    if len(result["labels"]) > 1:
        _labels(result["labels"])


def _rejections(counts: dict[str, int]) -> None:
    with box("div", "wide", tabindex="0", role="region", aria_label="Rejected rows by reason"), box("table", "figures"):
        with box("thead"), box("tr"):
            for head in ("Rejected for", "Rows", "What it means"):
                Text("th", head, scope="col")
        with box("tbody"):
            for code, count in _largest_first(counts):
                with box("tr"):
                    Text("th", code, "mono", scope="row")
                    Text("td", f"{count:,}")
                    with box("td"):
                        known = row_reasons().get(code)
                        Text("p", known.meaning if known else "This version does not know this code.")
                        Text("p", known.remedy if known else "", "muted")


def _labels(labels: dict[str, int]) -> None:
    """Each label's share, the largest first."""
    every = sum(labels.values())
    shown = _largest_first(labels)
    with box("table", "figures labels", aria_label="Accepted rows by label"):
        with box("thead"), box("tr"):
            for head in ("Label", "Rows", "Share"):
                Text("th", head, scope="col")
        with box("tbody"):
            for label, count in shown[:LABELS_SHOWN]:
                with box("tr"):
                    Text("th", label, scope="row")
                    Text("td", f"{count:,}")
                    Text("td", percent(count / every))
    if len(shown) > LABELS_SHOWN:
        Text("p", f"and {len(shown) - LABELS_SHOWN:,} more labels", "muted")


def samples_of(preview: Preview, committed: bool) -> None:
    """Some accepted rows, and some of each reason; a committed row's id leads to its passport."""
    if preview.accepted_sample:
        Text("h3", "Some accepted rows")
        with box("ol", "samples"):
            for row in preview.accepted_sample:
                _row(row, committed, row["payload"])
    if preview.rejected_sample:
        Text("h3", "Some rejected rows")
        with box("ol", "samples"):
            for row in preview.rejected_sample:
                _row(row, committed, row["raw"], row["reason"], row["detail"] or "")


def _row(row: dict[str, Any], committed: bool, values: dict[str, Any], reason: str = "", detail: str = "") -> None:
    with box("li", "sample"):
        with box("p", "event-head"):
            Text("span", f"row {row['position']:,}", "muted figure")
            if committed:
                link(row["row_id"], f"/rows/{row['row_id']}", "mono")
            else:
                Text("span", row["row_id"], "mono muted")
            if reason:
                Badge(Sign("needs", reason))
                Text("span", detail, "muted")
        values_list(values)


def values_list(values: dict[str, Any]) -> None:
    """A row's values, by name; a long one is cut."""
    with box("dl", "values"):
        for name, value in values.items():
            said = value if isinstance(value, str) else str(value)
            Text("dt", name)
            Text("dd", said if len(said) <= SAMPLE_CHARACTERS else f"{said[:SAMPLE_CHARACTERS]}…", "mono")


def ended_well(run: RunView) -> None:
    """A commit that is done, and what comes after it."""
    result = run.result or {}
    with box("p", "note", role="status"):
        Badge(Sign("done", f"{result['accepted_count']:,} rows were added to the project"))
        Text("span", "by")
        link(run.task_id, f"/projects/{run.project}/events?run={run.task_id}", "mono")
    if result["rejected_count"]:
        Text("p", f"{result['rejected_count']:,} were rejected: {by_reason(result['rejection_counts'])}", "muted figure")
    Text("p", f"Next: brewslm prepare --project {run.project}", "muted")
