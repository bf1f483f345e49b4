"""What a dry run or a commit came to: accepted and rejected rows, and the labels."""

from typing import Any

from brewslm.observe.figures import counted
from brewslm.pipeline.runs import RunView
from brewslm.web.introspection import field_map
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import ledger_bar
from brewslm.web.rejections import by_reason, largest_first
from brewslm.web.words import Sign, percent

LABELS_SHOWN = 12
_DRAWN = {
    "sample": "{0:,} of the source's {1:,} rows, drawn from all of it (the same ones each time).",
    "head": "The source's first {0:,} rows: to fetch it whole would be dear.",
}


def counts_of(result: dict[str, Any]) -> None:
    """The mapping and the counts of a preview or a commit's result."""
    accepted, rejected, confidence = result["accepted_count"], result["rejected_count"], result["confidence"]
    with box("p", "event-head figure"):
        Badge(Sign("done", f"{accepted:,} accepted"))
        Badge(Sign("needs" if rejected else "idle", f"{rejected:,} rejected"))
    ledger_bar(accepted + rejected, accepted, result["rejection_counts"], reasons=False)
    sure = "named by you" if confidence is None else f"confidence {confidence:.2f}"
    mapping = f"{result['mapper_id']} → {result['target_task_profile']}, {sure}"
    Text("p", f"{mapping}: {field_map(result['field_map'])}", "muted")
    if result["drawn"] in _DRAWN:
        Text("p", _DRAWN[result["drawn"]].format(accepted + rejected, result["source_rows"]), "muted figure")
    for note in result["notes"]:
        with box("p", "note"):
            Badge(Sign("needs", f"but: {note}"))
    if len(result["labels"]) > 1:
        labels_table(result["labels"])


def labels_table(labels: dict[str, int]) -> None:
    """Each label's share, the largest first."""
    every = sum(labels.values())
    shown = largest_first(labels)
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
        Text("p", f"and {counted(len(shown) - LABELS_SHOWN, 'more label')}", "muted")


def ended_well(run: RunView) -> None:
    """A commit that is done, and what comes after it."""
    result = run.result or {}
    with box("p", "note", role="status"):
        Badge(Sign("done", f"{counted(result['accepted_count'], 'row was', 'rows were')} added to the project"))
        Text("span", "by")
        link(run.task_id, f"/projects/{run.project}/events?run={run.task_id}", "mono")
    if result["rejected_count"]:
        with box("p", "muted figure"):
            Text("span", f"{counted(result['rejected_count'], 'was', 'were')} rejected: {by_reason(result['rejection_counts'])} ")
            link("See them", f"/projects/{run.project}/rows?status=rejected&import={run.task_id}")
    with box("p", "muted"):
        Text("span", "Next: ")
        link("freeze them in a data manifest", f"/projects/{run.project}/prepare")
