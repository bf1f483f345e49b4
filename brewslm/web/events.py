"""/ui/projects/{id}/events: the audit stream, newest first, by stage, severity and run. Every view of it has an address."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

import anyio
from nicegui import ui
from pydantic import BaseModel, Field, ValidationError

from brewslm.errors import StageError
from brewslm.observe.events import PAGE, EventView, events
from brewslm.observe.projects import projects
from brewslm.reasons import Severity, Stage
from brewslm.reasons.refusals import InvalidRequest
from brewslm.web.event_list import event_rows
from brewslm.web.layout import frame
from brewslm.web.parts import Text, box, link
from brewslm.web.problem_page import known_project, problem_page
from brewslm.web.running import POLL_SECONDS


class Asked(BaseModel):
    """What the address asks for: a filter and a cursor.

    Attributes:
        before, after: The page of events with a smaller, or a greater, id.
    """

    stage: Stage | None = None
    severity: Severity | None = None
    run: str | None = None
    before: int | None = Field(default=None, ge=1)
    after: int | None = Field(default=None, ge=0)

    def address(self, project: int, **changes: Any) -> str:
        """The address of another view: these filters with the changes, and no cursor but one that is named."""
        kept = {"stage": self.stage, "severity": self.severity, "run": self.run} | changes
        query = urlencode({name: str(value) for name, value in kept.items() if value is not None})
        return f"/projects/{project}/events" + (f"?{query}" if query else "")


async def page(
    project: str,
    stage: str | None = None,
    severity: str | None = None,
    run: str | None = None,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """The list."""
    known = await anyio.to_thread.run_sync(projects)
    try:
        found = known_project(known, project)
        asked = asked_for(stage=stage, severity=severity, run=run, before=before, after=after)
        read = partial(events, found.id, limit=PAGE + 1, **dict(asked))
        shown = await anyio.to_thread.run_sync(read)
    except StageError as error:
        problem_page(known, error)
        return
    with frame(known, [("Projects", "/"), (found.name, f"/projects/{found.id}"), ("Events", "")], found):
        with box("div", "title"), box("div"):
            Text("h1", "Events")
            Text("p", "What happened, in the order of an append-only stream; newest first.", "muted")
        with box("section", "card", aria_label="Filter"):
            _filter("Stage", "stage", Stage, asked, found.id)
            _filter("Severity", "severity", Severity, asked, found.id)
            if asked.run:
                with box("p", "filter"):
                    Text("span", "Run", "filter-name")
                    Text("span", asked.run, "mono")
                    link("show every run", asked.address(found.id, run=None))
        if asked.before is None and asked.after is None:
            _news(asked, found.id, shown)
        _list(asked, found.id, shown)


def asked_for(**query: str | None) -> Asked:
    """The query of an address.

    Raises:
        StageError(InvalidRequest): A value is not one that can be asked for.
    """
    try:
        return Asked.model_validate({name: value for name, value in query.items() if value})
    except ValidationError as error:
        said = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
        raise StageError(InvalidRequest(), "The events can't be shown so", cause=said, next_step="Choose a filter.") from error


Choice = TypeVar("Choice", bound=StrEnum)


def _filter(title: str, name: str, choices: type[Choice], asked: Asked, project: int) -> None:
    chosen = getattr(asked, name)
    with box("nav", "filter", aria_label=f"Filter by {title.lower()}"):
        Text("span", title, "filter-name", aria_hidden="true")
        for value in (None, *choices):
            made = link(value or "all", asked.address(project, **{name: value}), "chip")
            if value == chosen:
                made.props["aria-current"] = "true"


def _list(asked: Asked, project: int, shown: list[EventView]) -> None:
    """One page, newest first; it was asked for one event too many, to know whether there is a page beyond."""
    upward = asked.after is not None
    beyond = len(shown) > PAGE
    page = shown[:PAGE] if upward else shown[-PAGE:]
    with box("section", "card", aria_label="Events"):
        if not page:
            with box("p", "empty"):
                Text("span", "No event fits. ")
                link("Show all events", f"/projects/{project}/events")
        event_rows(project, page[::-1])
        with box("nav", "pages", aria_label="Pages"):
            if page and (beyond if upward else asked.before is not None):
                link("Newer", asked.address(project, after=page[-1].id))
            if asked.before is not None or upward:
                link("Newest", asked.address(project))
            if page and (upward or beyond):
                link("Older", asked.address(project, before=page[0].id))


def _news(asked: Asked, project: int, shown: list[EventView]) -> None:
    """On the newest page: say when there are newer ones; the list itself does not move under the reader's eyes."""
    newest = shown[-1].id if shown else 0
    filters: dict[str, Any] = {"stage": asked.stage, "severity": asked.severity, "run": asked.run}
    read: Callable[[], list[EventView]] = partial(events, project, after=newest, limit=PAGE, **filters)
    with box("p", "news", role="status") as said:
        made = link("", asked.address(project))
    said.set_visibility(False)

    async def look() -> None:
        new = len(await anyio.to_thread.run_sync(read))
        if new:
            made.text = f"{new}{'+' if new == PAGE else ''} new: show {'it' if new == 1 else 'them'}"
            said.set_visibility(True)

    ui.timer(POLL_SECONDS, look)
