"""/ui/projects/{id}/gold: gold sets, their review, how far reviewers agree, and the lock."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import anyio
from fastapi import Request
from nicegui import ui
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brewslm.observe.fault_words import fault_words
from brewslm.observe.figures import counted
from brewslm.observe.gold import GoldRowView, GoldSetView, PairAgreement, gold_rows, gold_sets
from brewslm.observe.row_facets import row_facets
from brewslm.pipeline.runs import RunView
from brewslm.stages.prepare.gold import GoldDraftRequest, GoldImportRequest, GoldLockRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.filters import left_out_card
from brewslm.web.form_field import FormField
from brewslm.web.gold_review import AT_ONCE, Review
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, button, link
from brewslm.web.pieces import Column, table, title_row
from brewslm.web.query import address, heard, usual_left_out
from brewslm.web.words import Sign


class Asked(BaseModel):
    """What the address asks for.

    Attributes:
        review: The name of the set whose draft is reviewed, by `reviewer`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    review: str | None = None
    reviewer: str | None = Field(default=None, max_length=200)


async def page(project: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    asked = heard(Asked, request.query_params)
    sets = await anyio.to_thread.run_sync(gold_sets, found.id)
    drafts = [one.gold_set.partition("@")[0] for one in sets if one.state == "draft"]
    if asked.value.review not in (None, *drafts):
        known = f"There are: {', '.join(drafts)}." if drafts else "Open one below."
        asked = asked.without("review", f"There is no draft of this name. {known}")
    review, reviewer = asked.value.review, asked.value.reviewer
    waiting, labels = await anyio.to_thread.run_sync(_see, found.id, review, reviewer)
    with here.frame("Gold set"):
        with title_row("Gold set", "Rows that people have judged: they are held out, and never trained on."):
            pass
        left_out_card(asked, address(f"/projects/{found.id}/gold", usual_left_out(asked.value)))
        if review and reviewer:
            Review(found.id, review, reviewer, waiting, labels)
        _Gold(found.id, sets, reviewer or "")


def _see(project: int, review: str | None, reviewer: str | None) -> tuple[list[GoldRowView], list[str]]:
    if not review or not reviewer:
        return [], []
    return gold_rows(project, review, reviewer=reviewer, limit=AT_ONCE), sorted(row_facets(project).labels)


class _Gold:
    def __init__(self, project: int, sets: list[GoldSetView], reviewer: str) -> None:
        self._project, self._reviewer = project, reviewer
        with box("section", "card", aria_labelledby="sets"):
            Text("h2", "Gold sets", id="sets")
            if not sets:
                Text("p", "There is no gold set yet: open a draft below, and draw rows into it.", "empty")
            else:
                columns = [
                    Column[GoldSetView]("Gold set", lambda one: one.gold_set, "mono"),
                    Column("State", _state),
                    Column("Rows", lambda one: _counts(one.rows)),
                    Column("Reviewed by", lambda one: _counts(one.reviewers)),
                    Column("Agreement", lambda one: "; ".join(map(agreement, one.agreement))),
                    Column("", self._acts),
                ]
                table("Gold sets", columns, sets)
            self._confirm = Confirm("Change a gold set")
        drafts = [one.gold_set.partition("@")[0] for one in sets if one.state == "draft"]
        with box("section", "card", aria_labelledby="draft"):
            Text("h2", "Draft, and rows for it", id="draft")
            with box("div", "fields"):
                self._name = FormField("name", "Name", drafts[0] if drafts else "", "In small letters, such as support.")
                self._rows = FormField("rows", "Rows to draw", "100", "From the eval split of the manifest in use.")
            with box("div", "actions"):
                button("Open a draft", self._draft)
                button("Draw rows", self._draw, "primary")
            self._said = box("div", "form-said")

    def _acts(self, one: GoldSetView) -> None:
        if one.state != "draft":
            return
        name = one.gold_set.partition("@")[0]
        with box("div", "row-actions"):
            button(f"Review {one.gold_set}", partial(self._ask_reviewer, name))
            button(f"Lock {one.gold_set}", partial(self._ask_lock, one, name))

    def _ask_reviewer(self, name: str) -> None:
        made: list[FormField] = []

        def ready() -> bool:
            made[0].blame("" if made[0].value else "A review needs the reviewer's name.")
            return bool(made[0].value)

        async def begin() -> None:
            asked = urlencode({"review": name, "reviewer": made[0].value})
            ui.navigate.to(f"/projects/{self._project}/gold?{asked}")

        sentence = "You see each row without what others said of it: who sees that agrees more easily."
        more = lambda: made.append(FormField("reviewer", "Your name", self._reviewer))  # noqa: E731 - drawn inside the panel
        self._confirm.ask(f"Review {name}", [sentence], "Begin", begin, more=more, ready=ready)

    def _ask_lock(self, one: GoldSetView, name: str) -> None:
        request = GoldLockRequest(project=self._project, name=name)
        rows = sum(one.rows.values())
        sentences = [
            f"State of {one.gold_set}: draft → locked. {counted(rows, 'row is', 'rows are')} frozen by their hash, for good.",
            "Prepare keeps them out of train from now on. Two reviewers must have looked at each row.",
        ]
        do = partial(act, request, f"page-{uuid4()}", self._done)
        self._confirm.ask(f"Lock {one.gold_set}?", sentences, f"Lock {one.gold_set} now", do)

    async def _draft(self) -> None:
        await self._send(GoldDraftRequest, name=self._name.value)

    async def _draw(self) -> None:
        rows = self._rows.value.replace(",", "")
        await self._send(GoldImportRequest, name=self._name.value, **({"rows": rows} if rows else {}))

    async def _send(self, kind: Any, **fields: str) -> None:
        self._said.clear()
        for field in (self._name, self._rows):
            field.blame("")
        try:
            request = kind(project=self._project, **fields)
        except ValidationError as error:
            for each in error.errors():
                (self._rows if "rows" in each["loc"] else self._name).blame(fault_words(each))
            return
        with self._said:
            await act(request, f"page-{uuid4()}", self._done)

    def _done(self, run: RunView) -> None:
        result = run.result or {}
        with box("p", "", role="status"):
            Text("span", f"{result['gold_set']} has {counted(result['rows'], 'row')} now. ")
            link("Show the sets", f"/projects/{self._project}/gold")


def agreement(pair: PairAgreement) -> str:
    """Of two reviewers, in one line."""
    people = " and ".join(pair.reviewers)
    if pair.kappa is None:
        return f"{people}: the same of {pair.agreed:,} of {counted(pair.n, 'row')}"
    return f"{people}: kappa {pair.kappa:.2f} ({pair.low:.2f} to {pair.high:.2f}) on {counted(pair.n, 'row')}"


def _state(one: GoldSetView) -> None:
    Badge(Sign("done", "locked") if one.state == "locked" else Sign("needs", one.state))


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
