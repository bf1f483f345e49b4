"""One version of the data manifest: its sizes, its ledger, what was looked for between its sides, and what it is made of."""

from typing import Any

from brewslm.observe.figures import counted
from brewslm.observe.manifests import ManifestView
from brewslm.web.manifest_balance import balance_card
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import Column, ledger_bar, table
from brewslm.web.token_chart import token_chart
from brewslm.web.words import Sign


def manifest_cards(project: int, view: ManifestView) -> None:
    """Every card of the version."""
    made, version = view.manifest, view.summary.version
    known = view.statistics["splits"]
    splits: dict[str, dict[str, Any]] = {name: known[name] for name in ("train", "dev", "eval", "gold") if name in known}
    rows = f"/projects/{project}/rows?manifest={version}"
    with box("div", "columns"):
        with box("section", "card", aria_labelledby="ledger"):
            Text("h2", f"v{version}: rows in, rows out", id="ledger")
            ledger_bar(made.ledger.rows_in, made.ledger.rows_out, made.ledger.rejected, f"{rows}&split=rejected")
            _sizes(rows, splits)
        _leakage(view)
    with box("section", "card", aria_labelledby="lengths"):
        Text("h2", "Token lengths", id="lengths")
        base = made.base_model
        said = f"In the tokens of {base.locator}, asked and answered as in training; no row has more than {base.max_tokens:,}."
        Text("p", said, "muted figure")
        token_chart(splits)
        _lengths(splits)
    with box("div", "columns"):
        balance_card(project, version, splits)
        _made_of(view)


def _sizes(rows: str, splits: dict[str, dict[str, Any]]) -> None:
    with box("ul", "split-sizes"):
        for name, one in splits.items():
            with box("li"):
                link(
                    f"{one['rows']:,}",
                    f"{rows}&split={name}",
                    "figure",
                    aria_label=f"See the {counted(one['rows'], 'row')} of {name}",
                )
                Text("span", f" {name}", "muted")


def _leakage(view: ManifestView) -> None:
    leaks, rejected = view.manifest.leakage, view.manifest.ledger.rejected.get("leak", 0)
    with box("section", "card", aria_labelledby="leakage"):
        Text("h2", "Leakage", id="leakage")
        clean = not leaks.equal_texts and not leaks.near_duplicates
        Badge(Sign("done", "nothing leaks") if clean else Sign("failed", "rows stand on both sides"))
        compared = counted(leaks.rows_compared, "row of train was", "rows of train were")
        said = f"{compared} held against every held-out row, after the split was written."
        Text("p", said, "figure")
        with box("dl", "values"):
            for name, value in (
                ("equal texts", f"{leaks.equal_texts:,}"),
                ("near-duplicates", f"{leaks.near_duplicates:,} (Jaccard {leaks.jaccard} and more)"),
                ("taken out before", f"{counted(rejected, 'row')} that would have leaked"),
            ):
                Text("dt", name)
                Text("dd", value, "figure")
        if rejected:
            target = f"/projects/{view.manifest.project}/rows?manifest={view.summary.version}&split=rejected&reason=leak"
            link(f"See the {counted(rejected, 'row')}", target)
        Text("h3", "Personal data in the rows that were kept")
        found = view.manifest.pii.findings
        said = ", ".join(f"{kind} in {counted(count, 'row')}" for kind, count in sorted(found.items())) or "None was found."
        Text("p", "It was not looked for." if view.manifest.pii.policy == "off" else said, "figure")


def _lengths(splits: dict[str, dict[str, Any]]) -> None:
    names = (("least", "Shortest"), ("median", "Median"), ("p90", "90 %"), ("p99", "99 %"), ("most", "Longest"), ("total", "All"))
    columns: list[Column[str]] = [Column("Split", lambda split: split)]
    columns += [
        Column(said, lambda split, name=name: f"{splits[split]['tokens'][name]:,}", "figure")  # type: ignore[misc]
        for name, said in names
    ]
    table("Tokens of a row by split", columns, list(splits))


def _made_of(view: ManifestView) -> None:
    made = view.manifest
    split = made.split
    by = f"the time in {split.time_by}" if split.time_by else {"content": "equal texts"}.get(split.group_by, split.group_by)
    languages = ", ".join(f"{code} {count:,}" for code, count in view.statistics["splits"]["train"]["languages"].items())
    with box("section", "card", aria_labelledby="made-of"):
        Text("h2", "What it is made of", id="made-of")
        with box("dl", "values"):
            for name, value in (
                ("task profile", made.task_profile), ("adapter", made.adapter_preset), ("split by", by),
                ("seed", str(made.seed)), ("goes on from", f"v{made.continued}" if made.continued else "drawn anew"),
                ("languages of train", languages), ("sha256", view.summary.sha256),
            ):  # fmt: skip
                Text("dt", name)
                Text("dd", value, "mono")
            Text("dt", "imports")
            with box("dd"):
                for one in made.imports:
                    target = (
                        f"/projects/{made.project}/rows?import={one}" if one != "clean" else f"/projects/{made.project}/cleaning"
                    )
                    link(f"{one} ", target, "mono")
            Text("dt", "frozen by")
            with box("dd"):
                link(view.summary.run, f"/projects/{made.project}/runs/{view.summary.run}", "mono")
        with box("details", "event-details"):
            Text("summary", "Dataset card")
            Text("pre", view.card.partition("\n---\n")[2].strip(), "mono card-text", tabindex="0")
