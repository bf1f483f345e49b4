"""/ui/academy/{lesson}: its text and figure, a quiz, and something to do that is checked by the events it leaves."""

import re
from functools import partial

import anyio
from nicegui import ui

from brewslm.academy import PARTS, course, find
from brewslm.errors import StageError
from brewslm.observe.academy import LessonView, academy, lesson
from brewslm.observe.projects import ProjectView, projects
from brewslm.pipeline import execute
from brewslm.stages.academy import ReadRequest
from brewslm.web.academy import STATES, crumbs, lesson_address, told
from brewslm.web.doing import ACTOR, attempt
from brewslm.web.exercise_card import ExerciseCard
from brewslm.web.layout import frame
from brewslm.web.parts import Badge, Text, box, button, link, problem, put
from brewslm.web.pieces import title_row
from brewslm.web.problem_page import known_project
from brewslm.web.quiz_card import QuizCard
from brewslm.web.rail import ACADEMY
from brewslm.web.words import Sign

_LESSON_LINK = re.compile(r"\]\(([a-z][a-z0-9-]*)\)")
"""In a lesson's Markdown, a link to another one."""


async def page(lesson_name: str, project: str | None = None) -> None:
    """The lesson; with `project`, its exercise is held against that project's events."""
    known = await anyio.to_thread.run_sync(projects)
    found = known_project(known, project) if project else None
    view = await anyio.to_thread.run_sync(lesson, lesson_name, found.id if found else None)
    above = [*crumbs(found), (ACADEMY.name, f"{ACADEMY.path}?project={found.id}" if found else ACADEMY.path)]
    with frame(known, [*above, (view.title, "")], found):
        line = f"Lesson {view.number} of {len(course())} · {PARTS[view.part]} · {view.minutes} min"
        with title_row(view.title, line):
            states = box("span", "lesson-states")
        read = _Read(view, found, states)
        with box("article", "lesson card"):
            _figure(view)
            ui.markdown(_linked(view.text, found), sanitize=False).classes("lesson-text")
            read.draw()
        QuizCard(view, found, read.refresh)
        ExerciseCard(view, found, read.refresh)
        _ways(view, found)


class _Read:
    """What was read, answered and done; and the button that says that it was read."""

    def __init__(self, view: LessonView, project: ProjectView | None, states: ui.element) -> None:
        self._view, self._project, self._states = view, project, states
        self._progress = view.progress
        self._show()

    def draw(self) -> None:
        """Under the text: the button, until it was pressed."""
        self._foot = box("div", "actions")
        with self._foot:
            if not self._progress.read:
                button("Mark as read", self._mark)

    async def refresh(self) -> None:
        """Look again at the events."""
        seen = await anyio.to_thread.run_sync(academy, self._project.id if self._project else None)
        lines = (one for part in seen.parts for one in part.lessons)
        self._progress = next(one.progress for one in lines if one.name == self._view.name)
        self._show()
        if self._progress.read:
            self._foot.clear()

    def _show(self) -> None:
        self._states.clear()
        with self._states:
            for (state, otherwise), is_so in zip(STATES.items(), told(self._progress), strict=True):
                Badge(Sign("done", state) if is_so else Sign("idle", otherwise))

    async def _mark(self) -> None:
        request = ReadRequest(lesson=self._view.name, project=self._project.id if self._project else None)
        done = await attempt(partial(execute.call, ACTOR, request))
        if isinstance(done, StageError):
            with self._foot:
                problem(done)
            return
        await self.refresh()


def _figure(view: LessonView) -> None:
    with box("figure", "lesson-figure"):
        put(ui.html(view.figure.svg, sanitize=False), tabindex="0", role="group", aria_label="Figure")
        Text("figcaption", view.figure.title, "muted")


def _linked(text: str, project: ProjectView | None) -> str:
    """Links to other lessons, with the project that one comes from."""
    return _LESSON_LINK.sub(lambda found: f"]({found[1]}?project={project.id})", text) if project else text


def _ways(view: LessonView, project: ProjectView | None) -> None:
    with box("nav", "lesson-ways", aria_label="Other lessons"):
        for said, name in (("Previous", view.before), ("Next", view.after)):
            if name is None:
                link("All lessons", f"{ACADEMY.path}?project={project.id}" if project else ACADEMY.path, "lesson-way")
                continue
            with link("", lesson_address(name, project), "lesson-way"):
                Text("span", said, "muted")
                Text("span", find(name).title)
