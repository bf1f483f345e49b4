"""A lesson's exercise: what to do, where, and which of its events were seen."""

from collections.abc import Awaitable, Callable
from functools import partial

import anyio

from brewslm.observe.academy import ExerciseView, LessonView, exercise
from brewslm.observe.projects import ProjectView
from brewslm.web.parts import Badge, Text, box, button, link
from brewslm.web.rail import pages_of, registered
from brewslm.web.words import Sign

SEEN, NOT_SEEN = Sign("done", "seen"), Sign("idle", "not seen so far")


class ExerciseCard:
    """What to do; a look at the events says how far it is done.

    Args:
        on_look: Called when the events were looked at again.
    """

    def __init__(self, view: LessonView, project: ProjectView | None, on_look: Callable[[], Awaitable[None]]) -> None:
        self._view, self._project, self._on_look = view, project, on_look
        with box("section", "card exercise", aria_labelledby="exercise"):
            Text("h2", "Do it here", id="exercise")
            Text("p", view.exercise.goal)
            self._places(view)
            with box("details", "event-details"):
                Text("summary", "The same in the terminal")
                for command in view.exercise.commands:
                    with box("div", "command"):
                        Text("code", command)
                        button("Copy", data_act="copy", data_text=command, aria_label=f"Copy {command}")
            self._state = box("div", "exercise-state", role="status")
            with box("div", "actions"):
                button("Look at the events again", self._look)
        self._show(view.exercise)

    def _places(self, view: LessonView) -> None:
        """The pages where it is done, in the project that one comes from, or that came furthest."""
        project = self._project.id if self._project else view.exercise.project
        with box("p", "muted"):
            if project is None:
                sample = f"; sample:{view.exercise.sample} has rows for it" if view.exercise.sample else ""
                Text("span", f"It is done in a project{sample}. ")
                link("New project from a sample", "/?new=sample")
                return
            entries = pages_of(view.pages, registered())
            Text("span", "Where: " if entries else "It is done in the terminal.")
            for entry in entries:
                link(entry.name, entry.address(project))
                Text("span", " ")

    async def _look(self) -> None:
        found = await anyio.to_thread.run_sync(partial(exercise, self._view.name, self._project.id if self._project else None))
        self._show(found)
        await self._on_look()

    def _show(self, found: ExerciseView) -> None:
        self._state.clear()
        with self._state:
            where = f"By the events of project {found.project}" if found.project is not None else "There is no project so far"
            Text("p", f"{where}: {'done' if found.done else 'not done so far'}.")
            with box("ol", "exercise-steps"):
                for one in found.steps:
                    with box("li"):
                        Badge(SEEN if one.event is not None else NOT_SEEN)
                        Text("span", one.said)
                        if one.event is not None and found.project is not None:
                            link("its events", f"/projects/{found.project}/events?code={one.reasons[0]}")
            if not found.done:
                Text("p", found.next_step, "muted")
