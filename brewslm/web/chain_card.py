"""The chain of a project's events: recomputed at a click, its result in words, and its head to keep elsewhere."""

from collections.abc import Sequence
from functools import partial

from nicegui.events import GenericEventArguments
from pydantic import ValidationError

from brewslm.audit import Fault, Head
from brewslm.errors import StageError
from brewslm.observe.chains import Verification, chain_head, verification
from brewslm.observe.figures import counted
from brewslm.web.doing import Busy, attempt
from brewslm.web.parts import Badge, Text, box, button, link, problem
from brewslm.web.pieces import Column, table
from brewslm.web.words import Sign

FAULTS_SHOWN = 50
MOST_CHARACTERS = 10_000
WHOLE = Sign("done", "The chain is whole")
READ_FILE = f"(event) => event.target.files[0]?.slice(0, {MOST_CHARACTERS}).text().then(emit)"
"""The file is read by the browser: nothing is uploaded."""


class Chain:
    """The button, where it is made; what it shows, where `panel` is called."""

    def __init__(self, project: int) -> None:
        self._project = project
        button("Verify the chain", self._verify)

    def panel(self) -> None:
        """Draw the place for the result, empty."""
        self._panel = box("section", "card", aria_label="The chain of events")
        self._panel.set_visibility(False)
        with self._panel:
            self._busy = Busy()
            self._said = box("div", "chain", role="status")

    async def _verify(self, kept: Sequence[Head] = ()) -> None:
        if self._busy.is_on:
            return
        self._said.clear()
        self._panel.set_visibility(True)
        with self._busy.doing("Recomputing the chain of events…"):
            done = await attempt(partial(_verified, self._project, kept))
        with self._said:
            if isinstance(done, StageError):
                problem(done)
            else:
                self._show(*done, kept)

    def _show(self, found: Verification, head: Head, kept: Sequence[Head]) -> None:
        Text("h2", "The chain of events")
        with box("p", "event-head"):
            Badge(WHOLE if not found.faults else Sign("failed", f"The chain is broken: {counted(len(found.faults), 'fault')}"))
        Text("p", in_words(found, head, kept), "figure")
        if found.faults:
            _faults(self._project, found.faults[:FAULTS_SHOWN])
        Text("h3", "Its head")
        Text("p", "Keep it where this machine's owner is not: whoever changes the past can't meet it again.", "muted")
        with box("dl", "values"):
            for name, value in (
                ("events", f"{head.sequence:,}"), ("hash", head.hash), ("first hash", head.first_hash), ("newest at", head.ts),
            ):  # fmt: skip
                Text("dt", name)
                Text("dd", value, "mono")
        with box("div", "actions"):
            name = f"head-of-project-{self._project}.json"
            Text("a", "Download the head", "button", href=f"/api/projects/{self._project}/head", download=name)
            button("Copy the head", data_act="copy", data_text=head.model_dump_json())
        with box("label", "file kept-head"):
            Text("span", "Hold the chain against a head that you kept", "field-name")
            Text("span", "The file stays on your machine; only what is in it is compared.", "muted")
            box("input", type="file", accept=".json,application/json").on("change", self._against, js_handler=READ_FILE)
            self._wrong = Text("span", "", "is-failed field-fault", role="alert")

    async def _against(self, event: GenericEventArguments) -> None:
        try:
            kept = Head.model_validate_json(str(event.args))
        except ValidationError:
            kept = None
        cause = "it is not what Download the head gives" if kept is None else ""
        if kept is not None and kept.project != self._project:
            cause = f"it is the head of project {kept.project}, {kept.name}"
        if kept is not None and not cause:
            await self._verify([kept])
            return
        self._wrong.text = f"It can't be held against this chain: {cause}. Choose another file."


def _verified(project: int, kept: Sequence[Head]) -> tuple[Verification, Head]:
    return verification(project, kept), chain_head(project)


def in_words(found: Verification, head: Head, kept: Sequence[Head]) -> str:
    """What was recomputed, and what came of it."""
    events = f"{counted(found.events, 'event was', 'events were')} read and hashed anew"
    said = [f"{events}; each follows the one before it" if not found.faults else events]
    for one in kept:
        said.append(f"it was held against the head of {one.exported_at}" + ("" if found.faults else ", and goes on from it"))
    if found.gaps:
        back = f", of which {len(found.waiting):,} will come back" if found.waiting else ""
        said.append(f"{found.gaps:,} could not be written at their time{back}")
    else:
        said.append("none is missing")
    return "; ".join(said) + "."


def _faults(project: int, faults: Sequence[Fault]) -> None:
    table(
        "Faults",
        (
            Column[Fault]("Kind", lambda one: str(one.kind), "mono"),
            Column[Fault]("Place", lambda one: f"{one.sequence:,}", "figure"),
            Column[Fault]("Event", partial(_event, project)),
            Column[Fault]("What", lambda one: one.what),
        ),
        faults,
    )


def _event(project: int, one: Fault) -> str | None:
    if one.event_id is None:
        return "–"
    link(f"event {one.event_id:,}", f"/projects/{project}/events/{one.event_id}")
    return None
