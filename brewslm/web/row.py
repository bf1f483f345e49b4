"""/ui/rows/{row_id}: the whole life of one row."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from brewslm.observe.chunks import ChunkOrigin
from brewslm.observe.figures import counted
from brewslm.observe.projects import projects
from brewslm.observe.rowpassport import Fate, RowPassport, row_passport
from brewslm.web.forget_card import ForgetCard
from brewslm.web.layout import frame
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.problem_page import known_project
from brewslm.web.rejections import row_reasons
from brewslm.web.sample_rows import values_list
from brewslm.web.words import Sign, plain

RIGHT, WRONG = Sign("done", "right"), Sign("failed", "wrong")
ACCEPTED, REJECTED = Sign("done", "accepted"), Sign("needs", "rejected")
STEPS_SHOWN = 100


async def page(row_id: str) -> None:
    """The passport."""
    known = await anyio.to_thread.run_sync(projects)
    row = await anyio.to_thread.run_sync(row_passport, row_id)
    project = known_project(known, str(row.project))
    above = [("Projects", "/"), (project.name, f"/projects/{project.id}"), ("Data", f"/projects/{project.id}/data")]
    with frame(known, [*above, (f"Row {row_id}", "")], project):
        with box("div", "title"), box("div"):
            Text("h1", f"Row {row_id}")
            Text("p", _line(row), "muted")
        _origin(row)
        for fate in row.fates:
            _fate(row.project, fate)
        _splits(row)
        _trained(row)
        _answers(row)
        _shown(row)
        if row.forgotten is None:
            ForgetCard(row.row_id)


def _line(row: RowPassport) -> str:
    """Where it stands, in one line."""
    if row.forgotten:
        asked = f", asked by {row.forgotten.actor}" if row.forgotten.actor else ""
        return f"Its text was removed on {row.forgotten.at:%Y-%m-%d} by {row.forgotten.run_id}{asked}; who it was stays."
    if any(fate.payload is not None and not fate.undone_by for fate in row.fates):
        return (
            f"It counts in the project; {counted(len(row.splits), 'manifest knows', 'manifests know')} it."
            if row.splits
            else "It counts in the project."
        )
    return "It does not count in the project: " + ("its import was undone." if _undone(row) else "it was rejected.")


def _undone(row: RowPassport) -> bool:
    return any(fate.payload is not None for fate in row.fates)


@contextmanager
def _card(name: str, title: str, empty: str = "") -> Iterator[None]:
    """A card; `empty` says why there is nothing in it."""
    with box("section", "card", aria_labelledby=name):
        Text("h2", title, id=name)
        if empty:
            Text("p", empty, "empty")
        yield


def _origin(row: RowPassport) -> None:
    with _card("source", "Source", "" if row.origin else "Its source is not known any more."):
        if row.origin is None:
            return
        with box("dl", "values"):
            for name, value in (
                ("document" if row.chunk else "locator", row.origin.locator),
                ("first character" if row.chunk else "record", row.origin.position),
                ("mapper", row.origin.mapper),
            ):
                if value is not None:
                    Text("dt", name)
                    Text("dd", f"{value:,}" if isinstance(value, int) else value, "mono")
            if row.origin.import_run:
                Text("dt", "mapped by")
                with box("dd"):
                    link(row.origin.import_run, f"/projects/{row.project}/events?run={row.origin.import_run}", "mono")
        if row.origin.field_map:
            Text("h3", "Mapping" + (f" (configuration {row.origin.config_id:,})" if row.origin.config_id is not None else ""))
            values_list(row.origin.field_map)
        if row.origin.line is not None:
            Text("h3", "As its source has it")
            values_list(row.origin.line)
        if row.chunk is not None:
            _chunk(row.chunk)


def _chunk(chunk: ChunkOrigin) -> None:
    """Its place in the document, and what was found there."""
    findings = ", ".join(f"{kind} {count:,}" for kind, count in sorted(chunk.findings.items()))
    Text("h3", f"Chunk {chunk.index + 1:,} of document {chunk.document:,}")
    with box("dl", "values"):
        for name, value in (
            ("kind", chunk.media_type),
            ("page", f"{chunk.page:,}" if chunk.page is not None else ""),
            ("headings", " › ".join(chunk.headings)),
            ("tokens", f"{chunk.tokens:,}"),
            ("language", chunk.language or ""),
            ("quality", f"{chunk.quality:.2f}" if chunk.quality is not None else ""),
            ("as it was read", _characters(chunk.source_start, chunk.source_end, chunk.source_path)),
            ("cleaned", _characters(chunk.start, chunk.end, chunk.path)),
            ("personal data in the document", findings or "none found"),
        ):
            if value:
                Text("dt", name)
                Text("dd", value, "mono")


def _characters(start: int, end: int, path: str | None) -> str:
    return f"characters {start:,} to {end:,}" + (f" of {path}" if path else "; the document was cleaned anew since")


def _shown(row: RowPassport) -> None:
    """Where else it was used: gold sets, and evaluations that showed it to the base."""
    if not (row.gold_sets or row.shown_in):
        return
    with _card("used", "Used"), box("ul", "lines"):
        for one in row.gold_sets:
            with box("li", "event-head"):
                Text("span", "in the gold set")
                link(one, f"/projects/{row.project}/gold", "mono")
        for one in row.shown_in:
            with box("li", "event-head"):
                Text("span", "shown to the base as a right answer in")
                link(one, f"/projects/{row.project}/events?run={one}", "mono")


def _fate(project: int, fate: Fate) -> None:
    """How one import, or cleaning, ended for the row."""
    run = fate.run_id or "clean"
    with _card(f"fate-{run}", "Mapping" if fate.run_id else "Cleaning"):
        with box("p", "event-head"):
            Badge(REJECTED if fate.reason else ACCEPTED)
            if fate.run_id:
                Text("span", "in")
                link(fate.run_id, f"/projects/{project}/events?run={fate.run_id}", "mono")
            if fate.task_profile:
                Text("span", f"for {plain(fate.task_profile)}", "muted")
            if fate.undone_by:
                Badge(Sign("idle", "undone by"))
                link(fate.undone_by, f"/projects/{project}/events?run={fate.undone_by}", "mono")
        if fate.reason:
            _reason(fate.reason, fate.detail)
        values_list(fate.payload or fate.raw or {})
        for said, ids in (("Mended from", [fate.parent] if fate.parent else []), ("Mended as", fate.mended_as)):
            for other in ids:
                with box("p"):
                    Text("span", f"{said} ")
                    link(other, f"/rows/{other}", "mono")


def _reason(code: str, detail: str | None) -> None:
    known = row_reasons().get(code)
    with box("p", "event-head"):
        Text("span", code, "mono event-code")
        Text("span", detail or "")
    Text("p", known.meaning if known else "This version does not know this code.")
    if known:
        Text("p", f"Next: {known.remedy}", "muted")


def _splits(row: RowPassport) -> None:
    with _card("splits", "Prepared", "" if row.splits else "No manifest was frozen with it yet."), box("ul", "lines"):
        for one in row.splits:
            with box("li", "event-head"):
                Text("span", f"v{one.manifest_version}", "mono")
                Badge(REJECTED if one.split == "rejected" else Sign("done", one.split))
                if one.reason:
                    Text("span", one.reason, "mono event-code")
                    known = row_reasons().get(one.reason)
                    Text("span", f"{known.meaning} Next: {known.remedy}" if known else "", "muted")


def _trained(row: RowPassport) -> None:
    with _card("trained", "Trained", "" if row.trained else "No experiment learned from it."), box("ul", "lines"):
        for one in row.trained:
            with box("li", "event-head"):
                link(one.experiment, f"/projects/{row.project}/events?run={one.experiment}", "mono")
                shown = ", ".join(f"{step:,}" for step in one.steps[:STEPS_SHOWN])
                more = len(one.steps) - STEPS_SHOWN
                Text("span", f"steps {shown or 'none'}" + (f" and {more:,} more" if more > 0 else ""), "figure")


def _answers(row: RowPassport) -> None:
    with _card("answers", "Answered", "" if row.answers else "No model was asked it."):
        if not row.answers:
            return
        with box("div", "wide", tabindex="0", role="region", aria_label="Answers"), box("table", "figures rows stacks"):
            with box("thead"), box("tr"):
                for head in ("Evaluation", "Experiment", "Model", "", "Output", "Expected", "Error cluster"):
                    Text("th", head, scope="col") if head else Text("td")
            with box("tbody"):
                for one in row.answers:
                    with box("tr"):
                        with box("th", "", scope="row"):
                            link(one.evaluation, f"/projects/{row.project}/events?run={one.evaluation}", "mono")
                        Text("td", one.experiment, "mono", data_head="Experiment")
                        Text("td", plain(one.model), data_head="Model")
                        with box("td"):
                            Badge(RIGHT if one.correct else WRONG)
                        Text("td", str(one.output), "mono said", data_head="Output")
                        Text("td", str(one.expected), "mono said", data_head="Expected")
                        Text("td", one.cluster or "–", data_head="Error cluster")
