"""/ui/projects/{id}/cleaning: documents, what cleaning found in them, and the health of all data."""

from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import anyio
from fastapi import Request
from nicegui import ui
from pydantic import BaseModel, ConfigDict, ValidationError

from brewslm.api.uploads import readable_file
from brewslm.errors import StageError
from brewslm.observe.document_text import STRETCH, DocumentText, document_text
from brewslm.observe.documents import DocumentView, documents
from brewslm.observe.fault_words import fault_words
from brewslm.observe.figures import counted
from brewslm.observe.health import HealthReport, data_health
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import UnknownRow
from brewslm.stages.clean import CleanRequest
from brewslm.stages.documents import AddRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.document_card import document_card
from brewslm.web.fields import FileField
from brewslm.web.filters import left_out_card
from brewslm.web.form_field import FormField
from brewslm.web.health_card import health_card
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, button, link, problem
from brewslm.web.pieces import Column, ledger_bar, pager, reason_chip, table, title_row
from brewslm.web.query import Cursor, Heard, Ordinal, address, heard, usual_left_out
from brewslm.web.words import Sign

PAGE = 50
PRESETS = {"documents": "documents: a team's own", "web": "web: the strict ones for crawled pages"}
PII = {
    "redact": "redact: a placeholder such as [EMAIL]", "pseudonymise": "pseudonymise: the same stand-in for the same value",
    "block": "block: turn the document away",
}  # fmt: skip
STATES = {"added": Sign("idle", "not cleaned yet"), "cleaned": Sign("done", "cleaned"), "rejected": Sign("needs", "rejected")}


class Asked(BaseModel):
    """What the address asks for.

    Attributes:
        document: The number of the document that is opened, from its character `start` on.
        page: Of the table, from 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: Cursor | None = None
    start: Cursor = 0
    page: Ordinal = 1


@dataclass(frozen=True)
class Seen:
    """What the page shows; `asked` without a document or a page that there is not."""

    asked: Heard[Asked]
    documents: list[DocumentView]
    opened: DocumentText | None


async def page(project: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    seen = await anyio.to_thread.run_sync(see, found.id, heard(Asked, request.query_params))
    with here.frame("Cleaning"):
        _Cleaning(found.id, seen)


def see(project: int, asked: Heard[Asked]) -> Seen:
    """Read it.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    found, opened = documents(project), None
    pages = max(1, -(-len(found) // PAGE))
    if asked.value.page > pages:
        asked = asked.without("page", f"There {'is one page' if pages == 1 else f'are {pages:,} pages'}: this is the first.")
    if asked.value.document is not None:
        try:
            opened = document_text(project, asked.value.document, asked.value.start)
        except StageError as error:
            if not isinstance(error.reason, UnknownRow):
                raise
            asked = asked.without("document", "This project has none of this number: choose one of the list.")
    return Seen(asked, found, opened)


def _health(project: int) -> HealthReport | StageError:
    try:
        return data_health(project)
    except StageError as error:
        return error


class _Cleaning:
    def __init__(self, project: int, seen: Seen) -> None:
        self._project = project
        self._documents, opened = seen.documents, seen.opened
        cleaned = sum(one.state == "cleaned" for one in self._documents)
        rejected = sum(one.state == "rejected" for one in self._documents)
        with title_row("Cleaning", f"{counted(len(self._documents), 'document')}: {cleaned:,} cleaned, {rejected:,} rejected"):
            pass
        left_out_card(seen.asked, address(f"/projects/{project}/cleaning", usual_left_out(seen.asked.value)))
        if opened is not None:
            document_card(project, opened, STRETCH)
        self._report = box("div", "placed")
        with self._report, box("section", "card", aria_label="Data health", aria_busy="true"):
            Text("h2", "Data health")
            Text("p", "Every row is read for it…", "empty", role="status")
        self._table(seen.asked.value.page)
        self._forms()
        ui.timer(0, self._read_health, once=True)

    async def _read_health(self) -> None:
        """Once the page is there: many rows take longer than anybody waits for a page."""
        health = await anyio.to_thread.run_sync(_health, self._project)
        self._report.clear()
        with self._report:
            if isinstance(health, StageError):
                with box("section", "card", aria_label="Data health"):
                    problem(health)
            else:
                health_card(self._project, health)

    def _table(self, number: int) -> None:
        with box("section", "card", aria_labelledby="documents"):
            Text("h2", "Documents", id="documents")
            if not self._documents:
                Text("p", "No document was added yet: add one below. Rows of imports need no cleaning.", "empty")
                return
            first = (number - 1) * PAGE
            shown = self._documents[first : first + PAGE]
            columns = [
                Column[DocumentView]("Document", self._name),
                Column("State", _state),
                Column("Quality", lambda one: f"{one.cleaned['quality']:.2f}" if one.cleaned else "", "figure"),
                Column("Personal data", lambda one: _personal(one)),
                Column("Chunks", lambda one: f"{one.cleaned['chunks']:,}" if one.cleaned else "", "figure"),
                Column("Language", lambda one: str(one.cleaned["language"]) if one.cleaned else ""),
            ]
            table("Documents", columns, shown)
            base = f"/projects/{self._project}/cleaning?page="
            entries = [("Previous", f"{base}{number - 1}")] if number > 1 else []
            entries += [("Next", f"{base}{number + 1}")] if first + PAGE < len(self._documents) else []
            pager(f"{first + 1:,}–{first + len(shown):,} of {len(self._documents):,}", entries)

    def _name(self, one: DocumentView) -> None:
        link(one.name, f"/projects/{self._project}/cleaning?document={one.id}")

    def _forms(self) -> None:
        with box("div", "columns"):
            with box("section", "card", aria_labelledby="clean"):
                Text("h2", "Clean the documents", id="clean")
                self._preset = FormField("preset", "Rules", "documents", options=PRESETS)
                self._pii = FormField("pii", "Personal data", "redact", options=PII)
                if self._documents:
                    with box("div", "actions"):
                        button(f"Clean {counted(len(self._documents), 'document')}", self._ask, "primary")
                self._confirm = Confirm("Clean the documents")
            with box("section", "card", aria_labelledby="add"):
                Text("h2", "Add documents", id="add")
                FileField("Upload a document", "PDF, Word, HTML, e-mail, Markdown or text", self._add)
                self._added = box("div")

    def _ask(self) -> None:
        chunks = sum((one.cleaned or {}).get("chunks", 0) for one in self._documents)
        fields = {"preset": self._preset, "pii": self._pii}
        for field in fields.values():
            field.blame("")
        try:
            request = CleanRequest.model_validate({"project": self._project} | {name: one.value for name, one in fields.items()})
        except ValidationError as error:
            for each in error.errors():
                fields[str(each["loc"][0])].blame(fault_words(each))
            return
        anew = counted(len(self._documents), "document is", "documents are")
        sentences = [
            f"{anew} cleaned anew. What was cleaned before is replaced, once all is done.",
            f"Chunks: {chunks:,} → as many as the new texts make. Frozen manifests stay as they are.",
        ]
        do = partial(act, request, f"page-{uuid4()}", self._cleaned)
        self._confirm.ask("Clean them now?", sentences, f"Clean {counted(len(self._documents), 'document')} now", do)

    def _cleaned(self, run: RunView) -> None:
        result = run.result or {}
        ledger = result["ledger"]
        ledger_bar(ledger["rows_in"], ledger["rows_out"], ledger["rejected"])
        Text("p", f"{counted(result['chunks'], 'chunk was', 'chunks were')} cut.", "figure", role="status")
        link("See what was found", f"/projects/{self._project}/cleaning")

    async def _add(self, path: str) -> None:
        self._added.clear()
        with self._added:
            try:
                request = AddRequest(project=self._project, paths=[readable_file(path)])
            except StageError as error:
                problem(error)
                return
            await act(request, f"page-{uuid4()}", self._told)

    def _told(self, run: RunView) -> None:
        result = run.result or {}
        Text("p", f"{result['added']:,} added, {result['known']:,} stood there already.", "figure", role="status")
        link("Show all documents", f"/projects/{self._project}/cleaning")


def _state(one: DocumentView) -> None:
    if one.reason:
        reason_chip(one.reason)
    else:
        Badge(STATES[one.state])


def _personal(one: DocumentView) -> str:
    counts = (one.cleaned or {}).get("finding_counts", {})
    return ", ".join(f"{kind} {count:,}" for kind, count in sorted(counts.items()))
