"""A lesson's quiz: native radio buttons, and of every answer whether it is right, and why."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from brewslm.errors import StageError
from brewslm.observe.academy import LessonView
from brewslm.observe.figures import counted
from brewslm.observe.projects import ProjectView
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView
from brewslm.stages.academy import AnswerRequest, ReadRequest
from brewslm.web.doing import ACTOR, attempt
from brewslm.web.fields import Radios
from brewslm.web.parts import Badge, Text, box, button, problem
from brewslm.web.words import Sign

RIGHT, WRONG = Sign("done", "right"), Sign("failed", "wrong")


class QuizCard:
    """The questions.

    Args:
        on_answered: Called when answers were judged.
    """

    def __init__(self, view: LessonView, project: ProjectView | None, on_answered: Callable[[], Awaitable[None]]) -> None:
        self._view, self._project, self._on_answered = view, project, on_answered
        self._chosen: dict[int, str] = {}
        self._said = []
        with box("section", "card quiz", aria_labelledby="quiz"):
            Text("h2", "Quiz", id="quiz")
            with box("ol", "questions"):
                for number, question in enumerate(view.quiz):
                    entries = {letter: (plain_text(text), "") for letter, text in question.choices.items()}
                    with box("li"):
                        Radios(
                            f"{number + 1}. {plain_text(question.ask)}", entries, "", partial(self._choose, number), "question"
                        )
                        self._said.append(box("div", "quiz-answer", role="status"))
            with box("div", "actions"):
                button("Check the answers", self._check, "primary")
            self._result = box("div", "", role="status")

    def _choose(self, number: int, letter: str) -> None:
        self._chosen[number] = letter
        self._said[number].clear()  # what was said of another answer

    async def _check(self) -> None:
        self._result.clear()
        left = len(self._view.quiz) - len(self._chosen)
        if left:
            with self._result:
                Text("p", f"{counted(left, 'question has', 'questions have')} no answer yet.", "is-needs")
            return
        letters = tuple(self._chosen[number] for number in range(len(self._view.quiz)))
        done = await attempt(partial(_answered, self._view, letters, self._project.id if self._project else None))
        with self._result:
            if isinstance(done, StageError):
                problem(done)
                return
            self._show(done.result or {})
        await self._on_answered()

    def _show(self, result: dict[str, Any]) -> None:
        for said, one in zip(self._said, result["answers"], strict=True):
            said.clear()
            with said:
                with box("p"):
                    Badge(RIGHT if one["right"] else WRONG)
                    Text("span", plain_text(one["why"]))
                if not one["right"]:
                    Text("p", f"{one['right_letter']} is right: {plain_text(one['right_why'])}", "muted")
        said_all = f"{result['right']} of {result['questions']} right"
        with box("p", "quiz-answer"):
            Badge(Sign("done", "passed") if result["passed"] else Sign("needs", "not passed so far"))
            Text("span", said_all + ("." if result["passed"] else ": answer again as often as you like."))


def plain_text(markdown: str) -> str:
    """A sentence of the quiz without the marks of code."""
    return markdown.replace("`", "")


def _answered(view: LessonView, letters: tuple[Any, ...], project: int | None) -> RunView:
    """Judge the answers; whoever answers has read the lesson."""
    if not view.progress.read:
        execute.call(ACTOR, ReadRequest(lesson=view.name, project=project))
    return execute.call(ACTOR, AnswerRequest(lesson=view.name, answers=letters, project=project))
