"""The Academy: lessons, quizzes, exercises, and how far one has come."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from brewslm.api.work import ACTOR, Fields, Key, asked
from brewslm.observe import academy as view
from brewslm.pipeline import execute
from brewslm.stages.academy import AnswerRequest, ReadRequest

router = APIRouter(prefix="/api/academy", tags=["academy"])


class ReadFields(Fields):
    """See academy.read."""

    project: int | None = None


class AnswerFields(Fields):
    """See academy.answer."""

    answers: list[Literal["a", "b", "c", "d"]]
    project: int | None = None


class AnsweredView(BaseModel):
    """What became of one question."""

    chosen: str
    right: bool
    why: str
    right_letter: str
    right_why: str


class QuizView(BaseModel):
    """What became of a quiz; it is passed when every answer is right."""

    lesson: str
    right: int
    questions: int
    passed: bool
    answers: list[AnsweredView]


@router.get("", operation_id="academy.list")
def listed(project: int | None = None) -> view.AcademyView:
    """Every lesson, part by part, with its progress; exercises of one project alone, when it is named."""
    return view.academy(project)


@router.get("/{lesson}", operation_id="academy.show")
def show(lesson: str, project: int | None = None) -> view.LessonView:
    """One lesson: text, figure, quiz without its answers, exercise."""
    return view.lesson(lesson, project)


@router.get("/{lesson}/exercise", operation_id="academy.check")
def check(lesson: str, project: int | None = None) -> view.ExerciseView:
    """Hold the exercise against the events of a project, or of whichever came furthest."""
    return view.exercise(lesson, project)


@router.post("/{lesson}/read", operation_id="academy.read")
def read(lesson: str, fields: ReadFields | None = None, key: Key = None) -> view.LessonView:
    """Tell that a lesson was read."""
    project = fields.project if fields else None
    execute.call(ACTOR, asked(ReadRequest, lesson=lesson, project=project), idempotency_key=key)
    return view.lesson(lesson)


@router.post("/{lesson}/answer", operation_id="academy.answer")
def answer(lesson: str, fields: AnswerFields, key: Key = None) -> QuizView:
    """Answer a lesson's quiz: each answer is told whether it is right, and why."""
    request = asked(AnswerRequest, lesson=lesson, answers=tuple(fields.answers), project=fields.project)
    result: dict[str, Any] = execute.call(ACTOR, request, idempotency_key=key).result or {}
    return QuizView(**result)
