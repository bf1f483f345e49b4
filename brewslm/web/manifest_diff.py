"""Two versions of the data manifest, held against each other."""

from brewslm.observe.manifests import ManifestDiff
from brewslm.web.changes import changes, config_diff
from brewslm.web.parts import Text, box, link
from brewslm.web.pieces import Column, stats, table

MOVED_SHOWN = 20


def diff_card(project: int, diff: ManifestDiff) -> None:
    """Rows that came, went or changed sides, the splits' sizes, and every setting that differs."""
    before, after = f"v{diff.before}", f"v{diff.after}"
    with box("section", "card", aria_labelledby="diff"):
        with box("div", "card-head"):
            Text("h2", f"{before} → {after}", id="diff")
            link("Leave the comparison", f"/projects/{project}/prepare?version={diff.after}")
        stats((
            ("Rows that came", f"{diff.added:,}", f"only {after} has them"),
            ("Rows that went", f"{diff.removed:,}", f"only {before} has them"),
            ("Rows that changed sides", f"{diff.moved:,}", "between train, dev, eval and gold"),
        ))  # fmt: skip
        names = list(dict.fromkeys((*diff.before_rows, *diff.after_rows)))
        Text("h3", "Sizes")
        columns: list[Column[str]] = [
            Column("Split", lambda split: split),
            Column(before, lambda split: f"{diff.before_rows.get(split, 0):,}", "figure"),
            Column(after, lambda split: f"{diff.after_rows.get(split, 0):,}", "figure"),
            Column("Change", lambda split: f"{diff.after_rows.get(split, 0) - diff.before_rows.get(split, 0):+,}", "figure"),
        ]
        table("Sizes of the splits", columns, names)
        if diff.moved_row_ids:
            Text("h3", "Rows that changed sides")
            with box("p", "row-ids"):
                for row_id in diff.moved_row_ids[:MOVED_SHOWN]:
                    link(row_id, f"/rows/{row_id}", "mono")
                if diff.moved > MOVED_SHOWN:
                    Text("span", f"and {diff.moved - MOVED_SHOWN:,} more", "muted figure")
        Text("h3", "Settings")
        found = changes(
            {name: pair[0] for name, pair in diff.changed.items()}, {name: pair[1] for name, pair in diff.changed.items()}
        )
        config_diff("What differs between the versions", found, (before, after))
