"""The course: lessons as Markdown files, their figures, and what their exercises look for in the event stream."""

from brewslm.academy.course import PARTS, Answered, Choice, Lesson, Part, Question, course, find, lessons_of
from brewslm.academy.exercise import Exercise, Outcome, Step, StepOutcome, evaluate

__all__ = [
    "PARTS",
    "Answered",
    "Choice",
    "Exercise",
    "Lesson",
    "Outcome",
    "Part",
    "Question",
    "Step",
    "StepOutcome",
    "course",
    "evaluate",
    "find",
    "lessons_of",
]
