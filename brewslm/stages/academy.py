"""academy.read and academy.answer: what a person did in the course. Exercises are not recorded: their events are."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.orm import Session

from brewslm.academy import find
from brewslm.academy.course import LETTERS
from brewslm.errors import StageError
from brewslm.reasons import Reason
from brewslm.reasons.academy import LessonRead, QuizAnswered
from brewslm.reasons.refusals import InvalidRequest
from brewslm.stages.contract import Request
from brewslm.store.tables import Run


class ReadRequest(Request):
    """A lesson was read.

    Attributes:
        project: In whose stream and journal it is told; in that of no project when left out.
    """

    lesson: str
    project: int | None = None


class AnswerRequest(Request):
    """Answers to a lesson's quiz, one letter a question; it may be answered as often as one likes.

    Attributes:
        project: As in ReadRequest.
    """

    lesson: str
    answers: tuple[Literal["a", "b", "c", "d"], ...]
    project: int | None = None


def read(request: ReadRequest, _session: Session, run: Run) -> Sequence[Reason]:
    """Tell it.

    Raises:
        StageError(UnknownLesson): There is no such lesson.
    """
    lesson = find(request.lesson)
    run.result = {"lesson": lesson.name}
    return [LessonRead(lesson=lesson.name, part=lesson.part)]


def answer(request: AnswerRequest, _session: Session, run: Run) -> Sequence[Reason]:
    """Judge the answers; the result says of each whether it is right, and why.

    Raises:
        StageError(UnknownLesson): There is no such lesson.
        StageError(InvalidRequest): There are not as many answers as questions, or a question has no such choice.
    """
    lesson = find(request.lesson)
    given, asked = len(request.answers), len(lesson.quiz)
    if given != asked:
        raise StageError(
            InvalidRequest(), "the quiz was not answered", where=f"lesson {lesson.name}",
            cause=f"it has {asked} questions, and {given} answers were given",
            next_step="Give one letter for each question, in their order.",
        )  # fmt: skip
    for number, (letter, question) in enumerate(zip(request.answers, lesson.quiz, strict=True), 1):
        known = LETTERS[: len(question.choices)]
        if letter not in known:
            raise StageError(
                InvalidRequest(), "the quiz was not answered", where=f"question {number}",
                cause=f"it has no choice {letter}; it has {', '.join(known)}", next_step="Choose one of these letters.",
            )  # fmt: skip
    answers = lesson.answered(request.answers)
    right = sum(one.right for one in answers)
    run.result = {
        "lesson": lesson.name,
        "right": right,
        "questions": asked,
        "passed": right == asked,
        "answers": [one._asdict() for one in answers],
    }
    return [QuizAnswered(lesson=lesson.name, part=lesson.part, questions=asked, right=right, passed=right == asked)]
