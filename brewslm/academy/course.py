"""Reading and checking the lessons: Markdown files with YAML front matter, each with a figure, a quiz and an exercise."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import yaml
from pydantic import ValidationError, model_validator

from brewslm.academy.exercise import Exercise, Strict
from brewslm.academy.figure import Figure, read_figure
from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import UnknownLesson

FOLDER = Path(__file__).parent
WORDS_A_MINUTE = 200
Part = Literal["foundations", "fine-tuning", "data", "stages", "advanced"]
PARTS: dict[Part, str] = {
    "foundations": "Foundations",
    "fine-tuning": "Fine-tuning",
    "data": "Data and gold sets",
    "stages": "BrewSLM, stage by stage",
    "advanced": "Advanced",
}
"""The parts of the course, in their order."""
LETTERS = "abcd"

Page = Literal[
    "data", "cleaning", "gold", "prepare", "training", "runs", "evaluation", "compression", "export", "deployments",
    "playground", "timeline", "failures", "explorer", "support", "journal",
]  # fmt: skip
"""The pages of the web app that a lesson can belong to."""


class Choice(Strict):
    """One answer that can be chosen.

    Attributes:
        why: Why it is right, or what is wrong with it; shown after answering.
    """

    text: str
    why: str
    right: bool = False


class Question(Strict):
    """One question of a quiz, of which one choice is right."""

    ask: str
    choices: tuple[Choice, ...]

    @model_validator(mode="after")
    def _has_one_right_choice(self) -> Self:
        if not 3 <= len(self.choices) <= len(LETTERS):
            raise ValueError("a question has three or four choices")
        if sum(choice.right for choice in self.choices) != 1:
            raise ValueError("one choice of a question is right")
        return self

    @property
    def letter(self) -> str:
        """Of the right choice."""
        return next(letter for letter, choice in zip(LETTERS, self.choices, strict=False) if choice.right)


class Answered(NamedTuple):
    """What became of one question: the letter that was chosen, whether it is right, why, and why the right one is."""

    chosen: str
    right: bool
    why: str
    right_letter: str
    right_why: str


class _Front(Strict):
    title: str
    part: Part
    summary: str
    pages: tuple[Page, ...]
    docs: tuple[str, ...] = ()
    quiz: tuple[Question, ...]
    exercise: Exercise


class Lesson(Strict):
    """One lesson.

    Attributes:
        name: How it is asked for, such as "tokens".
        number: Its place in the course, from 1.
        summary: One sentence.
        pages: Slugs of the web app's pages that link to it.
        docs: Pages under docs/ that say more.
        text: Its Markdown, without front matter.
    """

    name: str
    number: int
    title: str
    part: Part
    summary: str
    pages: tuple[Page, ...]
    docs: tuple[str, ...]
    quiz: tuple[Question, ...]
    exercise: Exercise
    figure: Figure
    text: str

    @property
    def words(self) -> int:
        """Of its text."""
        return len(re.findall(r"\w[\w'’-]*", self.text))

    @property
    def minutes(self) -> int:
        """How long reading it takes, at 200 words a minute."""
        return max(1, round(self.words / WORDS_A_MINUTE))

    def answered(self, letters: tuple[str, ...]) -> list[Answered]:
        """Each answer held against its question; as many letters as there are questions, each of one of its choices."""
        told = []
        for question, letter in zip(self.quiz, letters, strict=True):
            choice, best = question.choices[LETTERS.index(letter)], question.letter
            told.append(Answered(letter, choice.right, choice.why, best, question.choices[LETTERS.index(best)].why))
        return told


@cache
def course() -> tuple[Lesson, ...]:
    """Every lesson, in order."""
    return tuple(read_lesson(path) for path in sorted((FOLDER / "lessons").glob("*.md")))


def find(name: str) -> Lesson:
    """The lesson of this name.

    Raises:
        StageError(UnknownLesson): There is none.
    """
    known = {lesson.name: lesson for lesson in course()}
    if name not in known:
        raise StageError(UnknownLesson(), where=f"lesson {name}", cause=did_you_mean(name, known))
    return known[name]


def lessons_of(page: Page) -> list[Lesson]:
    """The lessons that a page of the web app links to, in the order of the course."""
    return [lesson for lesson in course() if page in lesson.pages]


def read_lesson(path: Path) -> Lesson:
    """One lesson from its file `NN-name.md` and its figure `figures/name.svg`.

    Raises:
        ValueError: The file's name, its front matter, its quiz, its exercise or its figure is not as it must be; it says what.
    """
    named = re.fullmatch(r"(\d\d)-([a-z][a-z0-9-]*)", path.stem)
    parts = re.fullmatch(r"---\n(.*?)\n---\n(.*)", path.read_text("utf-8"), re.DOTALL)
    if not named or not parts:
        raise ValueError(f"{path.name}: a lesson is NN-name.md and begins with front matter between two lines of ---")
    front = _front(path, yaml.safe_load(parts[1]))
    figure = read_figure(path.parents[1] / "figures" / f"{named[2]}.svg")
    fields: dict[str, Any] = {name: getattr(front, name) for name in _Front.model_fields}
    return Lesson(name=named[2], number=int(named[1]), figure=figure, text=parts[2].strip() + "\n", **fields)


def _front(path: Path, value: Any) -> _Front:
    try:
        front = _Front.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path.name}: {place}: {first['msg']}") from None
    if not 3 <= len(front.quiz) <= 4:
        raise ValueError(f"{path.name}: quiz: a quiz has three or four questions")
    return front
