"""/ui: every project and where it stands; and a new one, by a goal, from a sample, or from its brewslm.yaml."""

from datetime import datetime
from typing import NamedTuple

import anyio

from brewslm.observe.events import events
from brewslm.observe.figures import counted
from brewslm.observe.projects import ProjectView, projects
from brewslm.observe.status import StageState, StageView, StatusView, status
from brewslm.web.doing import ACTOR as ACTOR
from brewslm.web.layout import frame
from brewslm.web.new_project import ByGoal, FromSample, Offer, offered
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.pieces import Column, empty, pager, table, tabs, title_row
from brewslm.web.project_file import FromFile
from brewslm.web.words import STAGE_SIGNS

PAGE = 50
_FIRST = (StageState.FAILED, StageState.RUNNING, StageState.NEEDS_YOU)
WAYS = {"goal": "By goal", "sample": "From a sample", "file": "From brewslm.yaml"}
"""How a project begins."""


class Standing(NamedTuple):
    """A project's line: where it stands, and when something last happened."""

    project: ProjectView
    view: StatusView
    last: datetime

    @property
    def cell(self) -> StageView | None:
        """See `standing`."""
        return standing(self.view)

    def figure(self, stage: str) -> str:
        """Of a stage that has begun."""
        return next((cell.figure for cell in self.view.stages if cell.id == stage and cell.state != "not_begun"), "")

    @property
    def rows(self) -> int:
        """That count at this moment."""
        return int(next((cell.counts.get("rows", 0) for cell in self.view.stages if cell.id == "map_commit"), 0))


async def page(new: str | None = None, page: str = "1") -> None:
    """The list; `new` is the way a project begins whose form is open."""
    known = await anyio.to_thread.run_sync(projects)
    number = min(max(1, int(page) if page.isascii() and page.isdigit() else 1), max(1, -(-len(known) // PAGE)))
    shown = known[::-1][(number - 1) * PAGE : number * PAGE]
    stand = await anyio.to_thread.run_sync(_stand, shown)
    way = new if new in WAYS else "goal" if new is not None or not known else None
    offer = await anyio.to_thread.run_sync(offered) if way is not None else None
    with frame(known, [("Projects", "")]):
        with title_row("Projects", f"{counted(len(known), 'project')} on this machine"):
            if way is None:
                link("New project", "/?new=goal", "button primary")
        if way is not None and offer is not None:
            _new(way, offer)
        with box("section", "card", aria_label="All projects"):
            if not known:
                empty("There is no project yet: create one above, and bring your rows in.")
            else:
                _list(stand)
            if len(known) > PAGE:
                _pages(number, len(known), len(shown))


def standing(view: StatusView) -> StageView | None:
    """The cell that says where a project stands: what failed, runs or waits for a person; else the last that is done."""
    for state in _FIRST:
        found = [cell for cell in view.stages if cell.state is state]
        if found:
            return found[-1]
    done = [cell for cell in view.stages if cell.state is StageState.DONE]
    return done[-1] if done else None


def _stand(shown: list[ProjectView]) -> list[Standing]:
    found = []
    for one in shown:
        newest = events(one.id, limit=1)
        found.append(Standing(one, status(one.id), datetime.fromisoformat(newest[0].ts) if newest else one.created_at))
    return found


def _list(stand: list[Standing]) -> None:
    table(
        "Projects",
        (
            Column("Project", _name),
            Column("Stands at", _state),
            Column("Rows", lambda one: f"{one.rows:,}", "figure"),
            Column("Promoted model", lambda one: one.figure("deploy") or "–"),
            Column("Next", lambda one: one.view.next.reason, "project-next"),
            Column("Last event", _last),
        ),
        stand,
    )


def _name(one: Standing) -> None:
    link(one.project.name, f"/projects/{one.project.id}", "project-name")


def _state(one: Standing) -> None:
    cell = one.cell
    with box("span", "project-state"):
        if cell is None:
            Badge(STAGE_SIGNS["not_begun"])
        else:
            Text("span", f"{cell.number:02} {cell.title}")
            Badge(STAGE_SIGNS[cell.state])


def _last(one: Standing) -> None:
    moment(one.last, "muted")


def _pages(number: int, total: int, shown: int) -> None:
    first = (number - 1) * PAGE
    entries = [("Newer", f"/?page={number - 1}")] if number > 1 else []
    entries += [("Older", f"/?page={number + 1}")] if first + shown < total else []
    pager(f"{first + 1:,}–{first + shown:,} of {total:,}", entries)


def _new(way: str, offer: Offer) -> None:
    with box("section", "card new-project", aria_labelledby="new-project"):
        Text("h2", "New project", id="new-project")
        tabs("How it begins", [(name, f"/?new={each}") for each, name in WAYS.items()], WAYS[way])
        if way == "goal":
            ByGoal(offer)
        elif way == "sample":
            FromSample(offer)
        else:
            FromFile()
