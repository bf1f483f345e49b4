"""The course: what was read and answered. What an exercise asks for shows in the events of the stages themselves."""

from brewslm.reasons.base import Reason, Severity, Stage


class LessonRead(Reason, stage=Stage.ACADEMY, severity=Severity.INFO):
    """A lesson of the Academy was read."""

    lesson: str
    part: str


class QuizAnswered(Reason, stage=Stage.ACADEMY, severity=Severity.INFO):
    """The quiz of a lesson was answered; it is passed when every answer is right."""

    lesson: str
    part: str
    questions: int
    right: int
    passed: bool
