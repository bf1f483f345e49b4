"""Class balance: each label's share of every split, as bars to one scale."""

from typing import Any
from urllib.parse import urlencode

from brewslm.observe.figures import counted
from brewslm.web.parts import Text, box, link
from brewslm.web.words import percent

LABELS_SHOWN = 20


def balance_card(project: int, version: int, splits: dict[str, dict[str, Any]]) -> None:
    """The card; where rows have no label, it says so."""
    with box("section", "card", aria_labelledby="balance"):
        Text("h2", "Class balance", id="balance")
        labels = ranked(splits)
        if not labels:
            Text("p", "Rows of this task profile have no labels.", "empty")
            return
        named = [name for name, one in splits.items() if one["labels"]]
        with box("div", "wide", tabindex="0", role="region", aria_label="Class balance"), box("table", "figures balance"):
            with box("thead"), box("tr"):
                for head in ("Label", *named):
                    Text("th", head, scope="col")
            with box("tbody"):
                for label in labels[:LABELS_SHOWN]:
                    with box("tr"):
                        Text("th", label, scope="row")
                        for name in named:
                            with box("td"):
                                query = urlencode({"manifest": version, "split": name, "label": label})
                                _share(splits[name], label, f"/projects/{project}/rows?{query}", name)
        if len(labels) > LABELS_SHOWN:
            Text("p", f"and {len(labels) - LABELS_SHOWN:,} more labels", "muted")


def ranked(splits: dict[str, dict[str, Any]]) -> list[str]:
    """Every label, the most frequent of all splits first."""
    counts: dict[str, int] = {}
    for one in splits.values():
        for label, count in one["labels"].items():
            counts[label] = counts.get(label, 0) + count
    return sorted(counts, key=lambda label: (-counts[label], label))


def _share(one: dict[str, Any], label: str, target: str, split: str) -> None:
    count = one["labels"].get(label, 0)
    share = count / max(1, one["rows"])
    with box("p"):
        link(
            f"{count:,}", target, "figure", aria_label=f"See the {counted(count, 'row')} of {split}: {label}"
        ) if count else Text("span", "0")
        Text("span", f" {percent(share)}", "muted figure")
    with box("span", "meter", aria_hidden="true"):
        box("span", "meter-part").style(f"width: {share:.1%}")
