"""The course, and how far one has come: read, quiz passed, exercise done, each read off the event stream."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel
from sqlalchemy import select, text

from brewslm.academy import PARTS, Lesson, StepOutcome, course, evaluate, find
from brewslm.academy.course import LETTERS, Page, Part
from brewslm.audit.filters import EventFilter
from brewslm.observe.event_index import find as find_events
from brewslm.observe.event_index import payload_of
from brewslm.reasons.academy import LessonRead, QuizAnswered
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import OF_ACADEMY, RunEvent

MOST_LOOKED_AT = 200
"""So many of the oldest events of a code, and of its newest, are held against exercises."""


class Progress(BaseModel):
    """How far one has come with a lesson.

    Attributes:
        exercise_project: The project whose events show that the exercise was done.
    """

    read: bool = False
    quiz_passed: bool = False
    exercise_done: bool = False
    exercise_project: int | None = None


class LessonLine(BaseModel):
    """A lesson as the list shows it."""

    name: str
    number: int
    title: str
    part: Part
    summary: str
    minutes: int
    pages: list[Page]
    progress: Progress


class PartView(BaseModel):
    """One part of the course."""

    part: Part
    title: str
    lessons: list[LessonLine]


class AcademyView(BaseModel):
    """The course.

    Attributes:
        done: Lessons that were read, with their quiz passed and their exercise done.
        next: The first lesson that is not.
    """

    parts: list[PartView]
    lessons: int
    read: int
    quizzes_passed: int
    exercises_done: int
    done: int
    next: str | None


class QuestionView(BaseModel):
    """A question without its answer: the choices by their letters."""

    ask: str
    choices: dict[str, str]


class FigureView(BaseModel):
    """A figure: SVG in the colours of the theme's tokens, and its words for whoever does not see it."""

    svg: str
    title: str
    description: str


class ExerciseView(BaseModel):
    """An exercise, and how far the events of a project show it as done.

    Attributes:
        project: Whose events were looked at; None when there is no project yet.
        next_step: What to do next, in words.
    """

    lesson: str
    goal: str
    sample: str | None
    commands: list[str]
    project: int | None
    steps: list[StepOutcome]
    done: bool
    next_step: str


class LessonView(LessonLine):
    """A lesson with all that is in it; the right answers come with `academy.answer`."""

    text: str
    docs: list[str]
    figure: FigureView
    quiz: list[QuestionView]
    exercise: ExerciseView
    before: str | None
    after: str | None


class _Told(NamedTuple):
    id: int
    reason_code: str
    payload: dict[str, Any]


def academy(project: int | None = None) -> AcademyView:
    """Every lesson with its progress.

    Args:
        project: Exercises count that were done in this project; in any one, when left out. Reading and quizzes count wherever
            they were told.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    progress = _progress(course(), project)
    lines = [_line(lesson, progress[lesson.name]) for lesson in course()]
    done = [one.name for one in lines if one.progress.read and one.progress.quiz_passed and one.progress.exercise_done]
    parts = [
        PartView(part=part, title=title, lessons=[one for one in lines if one.part == part]) for part, title in PARTS.items()
    ]
    return AcademyView(
        parts=parts,
        lessons=len(lines),
        read=sum(one.progress.read for one in lines),
        quizzes_passed=sum(one.progress.quiz_passed for one in lines),
        exercises_done=sum(one.progress.exercise_done for one in lines),
        done=len(done),
        next=next((one.name for one in lines if one.name not in done), None),
    )


def lesson(name: str, project: int | None = None) -> LessonView:
    """One lesson.

    Raises:
        StageError(UnknownLesson): There is none of this name.
        StageError(UnknownProject): There is none of this number.
    """
    found = find(name)
    names = [one.name for one in course()]
    place = names.index(name)
    line = _line(found, _progress([found], project)[name])
    return LessonView(
        **line.model_dump(),
        text=found.text,
        docs=list(found.docs),
        figure=FigureView(**found.figure.model_dump()),
        quiz=[
            QuestionView(ask=one.ask, choices={letter: c.text for letter, c in zip(LETTERS, one.choices, strict=False)})
            for one in found.quiz
        ],
        exercise=exercise(name, project),
        before=names[place - 1] if place else None,
        after=names[place + 1] if place + 1 < len(names) else None,
    )


def exercise(name: str, project: int | None = None) -> ExerciseView:
    """A lesson's exercise, held against the events of a project; of the one that came furthest, when none is named.

    Raises:
        StageError(UnknownLesson): There is none of this name.
        StageError(UnknownProject): There is none of this number.
    """
    asked = find(name).exercise
    told = _told(asked.codes(), project)
    outcomes = {where: evaluate(asked, events) for where, events in told.items()}
    best = max(outcomes, key=lambda where: sum(one.event is not None for one in outcomes[where].steps), default=project)
    outcome = outcomes[best] if best in outcomes else evaluate(asked, [])
    missing = next((one for one in outcome.steps if one.event is None), None)
    shown = [command.replace("{project}", str(best or project or 1)) for command in asked.commands]
    return ExerciseView(
        lesson=name,
        goal=asked.goal,
        sample=asked.sample,
        commands=shown,
        project=best,
        steps=list(outcome.steps),
        done=outcome.done,
        next_step=f"Not seen so far: {missing.said}" if missing else "Nothing: its events are there.",
    )


def _line(found: Lesson, progress: Progress) -> LessonLine:
    return LessonLine(
        name=found.name, number=found.number, title=found.title, part=found.part, summary=found.summary, minutes=found.minutes,
        pages=list(found.pages), progress=progress,
    )  # fmt: skip


def _progress(lessons: Iterable[Lesson], project: int | None) -> dict[str, Progress]:
    every = list(lessons)
    read, passed = _of_the_course()
    told = _told({code for one in every for code in one.exercise.codes()}, project)
    found = {}
    for one in every:
        where = next((number for number, events in told.items() if evaluate(one.exercise, events).done), None)
        found[one.name] = Progress(
            read=one.name in read, quiz_passed=one.name in passed, exercise_done=where is not None, exercise_project=where
        )
    return found


def _of_the_course() -> tuple[set[str], set[str]]:
    """Names of the lessons that were read, and of those whose quiz was passed."""
    query = select(RunEvent.reason_code, RunEvent.payload).where(text(OF_ACADEMY))
    read, passed = set(), set()
    with reading() as session:
        for code, payload in session.execute(query):
            told = orjson.loads(payload)
            if code == LessonRead.code:
                read.add(told["lesson"])
            elif code == QuizAnswered.code and told["passed"]:
                passed.add(told["lesson"])
    return read, passed


def _told(codes: set[str], project: int | None) -> dict[int, list[_Told]]:
    """The events with these codes, oldest first, by project; of very many of one code the oldest and the newest.

    An exercise is done in a small project: a page does not wait until a million events were read.
    """
    seen: dict[int, RunEvent] = {}
    with reading() as session:
        if project is not None:
            project_of(session, project)
        for code in sorted(codes):
            wanted = EventFilter(project=project, code=code)
            oldest = find_events(session, wanted, after=0, limit=MOST_LOOKED_AT)
            newest = find_events(session, wanted, limit=MOST_LOOKED_AT) if len(oldest) == MOST_LOOKED_AT else []
            seen |= {event.id: event for event in (*oldest, *newest) if event.project_id}
        found: dict[int, list[_Told]] = {}
        for number in sorted(seen):
            event = seen[number]
            found.setdefault(event.project_id, []).append(_Told(number, event.reason_code, payload_of(event)))
    return found
