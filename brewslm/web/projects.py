"""/ui: every project and where it stands; and a new one."""

from functools import partial

import anyio
from nicegui import ui

from brewslm.errors import StageError
from brewslm.observe.projects import ProjectView, projects
from brewslm.observe.status import StageState, StageView, StatusView, status
from brewslm.pipeline import execute
from brewslm.stages.projects import CreateRequest
from brewslm.web.layout import frame
from brewslm.web.parts import Badge, Text, box, button, link, moment, problem
from brewslm.web.words import STAGE_SIGNS

ACTOR = "page"
_FIRST = (StageState.FAILED, StageState.RUNNING, StageState.NEEDS_YOU)


async def page() -> None:
    """The list."""
    known = await anyio.to_thread.run_sync(projects)
    stand = [await anyio.to_thread.run_sync(status, one.id) for one in known]
    with frame(known, [("Projects", "")]):
        with box("div", "title"):
            Text("h1", "Projects")
        with box("section", "card", aria_label="All projects"):
            if not known:
                Text("p", "There is no project yet: create one to bring your rows in.", "empty")
            with box("ul", "projects"):
                for one, view in zip(known, stand, strict=True):
                    _row(one, view)
        _creation()


def standing(view: StatusView) -> StageView | None:
    """The cell that says where a project stands: what failed, runs or waits for a person; else the last that is done."""
    for state in _FIRST:
        found = [cell for cell in view.stages if cell.state is state]
        if found:
            return found[-1]
    done = [cell for cell in view.stages if cell.state is StageState.DONE]
    return done[-1] if done else None


def _row(project: ProjectView, view: StatusView) -> None:
    cell = standing(view)
    with box("li", "project"):
        link(project.name, f"/projects/{project.id}", "project-name cut")
        with box("span", "project-state"):
            if cell is None:
                Badge(STAGE_SIGNS["not_begun"])
            else:
                Text("span", f"{cell.number:02} {cell.title}")
                Badge(STAGE_SIGNS[cell.state])
                Text("span", cell.figure, "muted figure")
        Text("span", f"Next: {view.next.reason}", "muted project-next")
        moment(cell.since if cell and cell.since else project.created_at, "muted")


def _creation() -> None:
    with box("section", "card", aria_labelledby="new-project"):
        Text("h2", "New project", id="new-project")
        with box("div", "form"):
            name = ui.input("Name").props('outlined dense maxlength=200 for="project-name" autocomplete=off')
            said = box("div", "form-said")
            create = partial(_create, name, said)
            name.on("keydown.enter", create, [])
            button("Create project", create, "primary")


async def _create(name: ui.input, said: ui.element) -> None:
    wanted = (name.value or "").strip()
    said.clear()
    if not wanted:
        with said:
            Text("p", "A project needs a name.", "is-failed", role="alert")
        return
    try:
        made = await anyio.to_thread.run_sync(execute.call, ACTOR, CreateRequest(name=wanted))
    except execute.RunFailed as failed:
        with said:
            problem(failed.error)
        return
    except StageError as refused:
        with said:
            problem(refused)
        return
    ui.navigate.to(f"/projects/{made.project}")
