"""/ui/projects/{id}/deployments: which exported model answers, what could answer instead, and whether it still answers well."""

from functools import partial
from typing import Any

import anyio
from fastapi import Request
from nicegui import ui

from brewslm.observe.deployments import SlotView
from brewslm.stages.deploy.changes import ENDPOINT
from brewslm.web.answering_card import answering
from brewslm.web.asking_card import asking_card
from brewslm.web.deployments_seen import PAGE, Asked, Seen, see
from brewslm.web.drift_card import DriftCard
from brewslm.web.filters import left_out_card
from brewslm.web.opening import opened
from brewslm.web.parts import box, button
from brewslm.web.pieces import empty, tabs, title_row
from brewslm.web.query import heard
from brewslm.web.running import POLL_SECONDS
from brewslm.web.traffic_card import TrafficCard
from brewslm.web.version_form import VersionForm
from brewslm.web.versions_card import VersionsCard


async def page(project: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    given = heard(Asked, request.query_params)
    asked = given.value
    seen = await anyio.to_thread.run_sync(see, found.id, asked)
    with here.frame("Deployments"):
        left_out_card(given, asked.address(found.id))
        shown = Deployments(found.id, asked, seen)
    ui.timer(POLL_SECONDS, shown.look)
    if asked.export:
        await shown.form.open(asked.export, asked.variant)


class Deployments:
    """The page's parts; each is brought up to date where something has changed.

    Attributes:
        form: Of a new version.
    """

    def __init__(self, project: int, asked: Asked, seen: Seen) -> None:
        self._project, self._asked, self._seen = project, asked, seen
        with title_row("Deployments", _line(seen.slot)):
            button("New version", partial(self._open), "primary" if seen.slot is None else "")
        self.form = VersionForm(project, seen.slot.name if seen.slot else ENDPOINT, self.look)
        with box("div", "column-of-cards"):
            self._draw(seen)

    async def _open(self) -> None:
        await self.form.open()

    def _draw(self, seen: Seen) -> None:
        if seen.slot is None:
            with box("section", "card", aria_label="Deployments"):
                target = f"/projects/{self._project}/export"
                empty("No model answers yet: a version is made of an export, and promoted.", "See the exports", target)
            return
        project, asked, slot = self._project, self._asked, seen.slot
        if len(seen.slots) > 1:
            every = [(one.name, Asked(slot=one.name, days=asked.days).address(project)) for one in seen.slots]
            tabs("Slots", every, slot.name)
        self._answers = box("section", "card", aria_label=f"What answers in {slot.name}")
        self._draw_answers(seen)
        pages = _pages(len(seen.versions), slot.versions, asked.before, partial(asked.address, project), "before",
                       seen.versions[PAGE - 1].id if len(seen.versions) > PAGE else 0)  # fmt: skip
        self._versions = VersionsCard(project, list(seen.versions[:PAGE]), pages, self.look)
        last = int(seen.checks[PAGE - 1].run.rpartition("-")[2]) if len(seen.checks) > PAGE else 0
        looks = _pages(len(seen.checks), None, asked.checks, partial(asked.address, project), "checks", last)
        self._drift = DriftCard(slot, list(seen.checks[:PAGE]), seen.schedule, looks, self.look)
        self._traffic = TrafficCard(list(seen.traffic), asked.days, lambda name: asked.address(project, days=name))
        asking_card(f"{_origin()}/serve/{project}/{slot.name}", seen.how)

    async def look(self) -> None:
        """Read again, and show what has changed."""
        before, now = self._seen, await anyio.to_thread.run_sync(see, self._project, self._asked)
        self._seen = now
        if (now.slot is None) != (before.slot is None):
            ui.navigate.to(self._asked.address(self._project))
            return
        if now.slot is None:
            return
        if (now.slot, now.traffic) != (before.slot, before.traffic):
            self._draw_answers(now)
        if now.versions != before.versions:
            self._versions.show(list(now.versions[:PAGE]))
        if (now.slot, now.checks, now.schedule) != (before.slot, before.checks, before.schedule):
            self._drift.show(now.slot, list(now.checks[:PAGE]), now.schedule)
        if now.traffic != before.traffic:
            self._traffic.show(list(now.traffic))

    def _draw_answers(self, seen: Seen) -> None:
        self._answers.clear()
        with self._answers:
            if seen.slot is not None:
                answering(seen.slot, seen.traffic, self._asked.days, seen.checks)


def _line(slot: SlotView | None) -> str:
    if slot is None:
        return "Nothing answers yet."
    if slot.answering is None:
        return f"Nothing answers in {slot.name}; {slot.pending:,} pending."
    one = slot.answering
    return f"{slot.name} v{one.version} answers: {one.export} as {one.variant}, served by {one.target}."


def _pages(found: int, total: int | None, cursor: int, address: Any, name: str, last: int) -> tuple[str, list[tuple[str, str]]]:
    """What a pager says under one page, newest first, and its links."""
    if not cursor and found <= PAGE:
        return "", []
    links = [("Newest", address(**{name: 0}))] if cursor else []
    links += [("Older", address(**{name: last}))] if last else []
    return f"{min(found, PAGE):,}{f' of {total:,}' if total else ''}", links


def _origin() -> str:
    request = ui.context.client.request
    return f"{request.url.scheme}://{request.url.netloc}"
