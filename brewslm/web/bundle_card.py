"""One export: its variants, its files, and its smoke-check trace; or why there is none."""

from collections.abc import Callable

from brewslm.observe.exports import BundleFile, BundleView, SmokeRow, SmokeVariant
from brewslm.observe.figures import counted
from brewslm.stages.export.job import Artifact
from brewslm.stages.export.smoke import CHECKED_AS
from brewslm.web.doing import follow
from brewslm.web.parts import Badge, Text, box, link, problem_document
from brewslm.web.pieces import Column, table
from brewslm.web.words import Sign, file_size, percent, plain

HASH_SHOWN = 12
ROWS_SHOWN = 50


def bundle_cards(one: BundleView) -> None:
    """The cards of one export."""
    if not one.artifacts:
        with box("section", "card", aria_label=one.id):
            Text("h2", one.id)
            _without(one)
        return
    _variants(one)
    _smoke(one)
    _files(one)


def _without(one: BundleView) -> None:
    if one.task.problem:
        problem_document(one.task.problem)
        with box("div", "actions"):
            again = f"/projects/{one.project}/export?experiment={one.experiment}"
            link(f"Export {one.experiment} again", again, "button")
            link("See the run", f"/projects/{one.project}/runs/{one.id}", "button")
    elif one.task.state in ("queued", "running"):
        follow(one.task, _nothing)
    else:
        Text("p", f"It was {one.task.state}; nothing of it is kept.", "empty")


async def _nothing(_run: object) -> None:
    """The page itself looks again."""


def _variants(one: BundleView) -> None:
    with box("section", "card", aria_labelledby="variants"):
        with box("div", "card-head"):
            Text("h2", f"Variants of {one.id}", id="variants")
            link("Size and quality" if one.compared else "Measure them", f"/projects/{one.project}/compression?export={one.id}")
        columns: tuple[Column[tuple[str, Artifact]], ...] = (
            Column("Variant", lambda pair: link(pair[0], f"/models/{one.id}:{pair[0]}", "mono") and None),
            Column("Size", lambda pair: file_size(pair[1].size_bytes), "figure"),
            Column("Same tokens", lambda pair: "–" if pair[1].agreement is None else percent(pair[1].agreement), "figure"),
            Column("KL (nats a token)", lambda pair: "–" if pair[1].kl is None else f"{pair[1].kl:.2g}", "figure"),
            Column("Ends its answers", lambda pair: "–" if pair[1].stopped is None else "{:,} of {:,}".format(*pair[1].stopped)),
            Column("SHA-256", lambda pair: Text("span", pair[1].sha256[:HASH_SHOWN], title=pair[1].sha256) and None, "mono"),
            Column("", lambda pair: _deploy(one, pair[0])),
        )
        table(f"Variants of {one.id}", columns, list(one.artifacts.items()))


def _deploy(one: BundleView, variant: str) -> None:
    if variant.startswith("safetensors"):
        return
    target = f"/projects/{one.project}/deployments?export={one.id}&variant={variant}"
    with box("div", "row-actions"):
        link("Deploy", target, "button", aria_label=f"Deploy {one.id}:{variant}")


def _smoke(one: BundleView) -> None:
    with box("section", "card", aria_labelledby="smoke"):
        Text("h2", "Smoke check", id="smoke")
        if one.missing:
            Text("p", f"It can't be shown: {one.missing}.", "empty")
            return
        asked = f"{len(one.asked):,} held-out rows were asked of the trained model, and of each file as it stands in the bundle."
        Text("p", asked, "muted")
        sign: Callable[[SmokeVariant], Sign] = lambda each: (  # noqa: E731
            Sign("done", "agrees") if each.top1 >= each.least else Sign("failed", "disagrees")
        )
        columns: tuple[Column[SmokeVariant], ...] = (
            Column("Variant", lambda each: _checked_as(one, each.checked_as), "mono"),
            Column("Outcome", lambda each: Badge(sign(each)) and None),
            Column("Same tokens", lambda each: f"{percent(each.top1)} of {each.tokens:,}", "figure"),
            Column("Asked for", lambda each: f"≥ {percent(each.least)}", "figure"),
            Column("Other tokens", lambda each: f"{each.flips:,}", "figure"),
            Column("KL (nats a token)", lambda each: "–" if each.kl is None else f"{each.kl:.2g}", "figure"),
            Column("Ended", lambda each: f"{each.stopped:,} of {each.answered:,}" if each.answered else "–"),
        )
        table("Smoke check of each variant", columns, list(one.smoke.values()))
        with box("details", "event-details"):
            Text("summary", f"What was asked, and what each wrote: {counted(len(one.asked), 'row')}")
            _rows(one)


def _rows(one: BundleView) -> None:
    names = list(dict.fromkeys(name for row in one.asked for name in row.answers))

    def said(name: str) -> Callable[[SmokeRow], str]:
        return lambda row: row.answers.get(name, "–")

    columns = (
        Column[SmokeRow]("Row", lambda row: link(row.row_id, f"/rows/{row.row_id}", "mono") and None),
        Column[SmokeRow]("Trained model", lambda row: row.trained, "mono"),
        *(Column[SmokeRow](plain(name), said(name), "mono") for name in names),
    )
    table("Rows of the smoke check", columns, one.asked[:ROWS_SHOWN])


def _checked_as(one: BundleView, name: str) -> str:
    """Variants that hold the same weights are checked once."""
    return ", ".join(variant for variant in one.artifacts if CHECKED_AS.get(variant, variant) == name) or name


def _files(one: BundleView) -> None:
    with box("section", "card", aria_labelledby="files"):
        with box("div", "card-head"):
            Text("h2", f"Files: {len(one.files):,}", id="files")
            Text("span", one.path, "mono muted")
        if one.missing:
            Text("p", f"They can't be listed: {one.missing}.", "empty")
            return
        columns: tuple[Column[BundleFile], ...] = (
            Column("File", lambda each: each.path, "mono"),
            Column("Size", _size, "figure"),
            Column("SHA-256", lambda each: Text("span", each.sha256[:HASH_SHOWN], title=each.sha256) and None, "mono"),
            Column("", lambda each: _download(one.id, each)),
        )
        table(f"Files of {one.id}", columns, one.files)


def _size(each: BundleFile) -> str | None:
    if each.size_bytes is None:
        Badge(Sign("failed", "missing"))
        return None
    return file_size(each.size_bytes)


def _download(export: str, each: BundleFile) -> None:
    if each.size_bytes is None:
        return
    name = each.path.rpartition("/")[2]
    with box("div", "row-actions"):
        Text("a", "Download", "button", href=f"/api/exports/{export}/files/{each.path}", download=name,
             aria_label=f"Download {each.path}")  # fmt: skip
