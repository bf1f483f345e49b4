"""/ui/academy: the course in its five parts, with what was read, answered and done."""

from collections.abc import Sequence

import anyio

from brewslm.observe.academy import LessonLine, PartView, Progress, academy
from brewslm.observe.projects import ProjectView, projects
from brewslm.web.layout import Crumb, frame
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import title_row
from brewslm.web.problem_page import known_project
from brewslm.web.rail import ACADEMY
from brewslm.web.words import Sign

STATES = {"read": "not read", "quiz passed": "quiz open", "exercise done": "exercise open"}
"""What is said of a lesson when it is so, and when it is not."""


async def page(project: str | None = None) -> None:
    """The list; with `project`, exercises count that were done in it."""
    known = await anyio.to_thread.run_sync(projects)
    found = known_project(known, project) if project else None
    seen = await anyio.to_thread.run_sync(academy, found.id if found else None)
    with frame(known, [*crumbs(found), (ACADEMY.name, "")], found):
        done = f"{seen.quizzes_passed} quizzes passed · {seen.exercises_done} exercises done"
        with title_row("Academy", f"{seen.read} of {seen.lessons} lessons read · {done}"):
            following = next((one for part in seen.parts for one in part.lessons if one.name == seen.next), None)
            if following is not None:
                begin = "Go on" if seen.read else "Begin"
                link(f"{begin}: {following.title}", lesson_address(following.name, found), "button primary")
        name = f"{seen.done} of {seen.lessons} lessons done"
        box("progress", "course-progress", max=str(seen.lessons), value=str(seen.done), aria_label=name)
        for part in seen.parts:
            _part(part, found)


def crumbs(project: ProjectView | None) -> list[Crumb]:
    """The way to a page that may be about a project."""
    return [("Projects", "/"), *([(project.name, f"/projects/{project.id}")] if project else [])]


def lesson_address(name: str, project: ProjectView | None) -> str:
    """The page of a lesson."""
    return f"{ACADEMY.path}/{name}" + (f"?project={project.id}" if project else "")


def told(progress: Progress) -> Sequence[bool]:
    """How far one has come, as STATES says."""
    return progress.read, progress.quiz_passed, progress.exercise_done


def _part(part: PartView, project: ProjectView | None) -> None:
    done = sum(all(told(one.progress)) for one in part.lessons)
    with box("section", "card", aria_labelledby=f"part-{part.part}"):
        with box("div", "card-head"):
            Text("h2", part.title, id=f"part-{part.part}")
            Text("span", f"{done} of {len(part.lessons)} done", "muted figure")
        with box("ol", "lessons"):
            for one in part.lessons:
                _line(one, project)


def _line(one: LessonLine, project: ProjectView | None) -> None:
    with box("li", "lesson-line"):
        Text("span", f"{one.number:02}", "muted figure")
        with box("div"):
            link(one.title, lesson_address(one.name, project), "lesson-title")
            Text("p", one.summary, "muted")
        with box("span", "lesson-states"):
            for state, is_so in zip(STATES, told(one.progress), strict=True):
                if is_so:
                    Badge(Sign("done", state))
        Text("span", f"{one.minutes} min", "muted figure")
