"""The course is whole: each lesson has what a lesson needs, says nothing that is not there, and leads somewhere."""

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
import typer

from brewslm.academy import PARTS, course, find, lessons_of
from brewslm.academy.course import Page, read_lesson
from brewslm.academy.figure import MARK_COLOURS, TEXT_COLOURS, figure_problems
from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.sources.catalogue import samples
from brewslm.web import theme

ROOT = Path(__file__).parents[2]
LESSONS = course()
of_each = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def test_the_lessons_are_numbered_in_order_and_stand_in_their_parts():
    assert [lesson.number for lesson in LESSONS] == list(range(1, len(LESSONS) + 1))
    parts = [lesson.part for lesson in LESSONS]
    assert parts == sorted(parts, key=list(PARTS).index)
    assert len({lesson.name for lesson in LESSONS}) == len({lesson.title for lesson in LESSONS}) == len(LESSONS)


@of_each
def test_a_lesson_is_short_and_whole(lesson):
    assert 300 <= lesson.words <= 600, f"{lesson.words} words"
    assert 1 <= lesson.minutes <= 3
    assert lesson.summary.endswith(".") and len(lesson.summary) <= 160
    assert "!" not in re.sub(r"`[^`]*`", "", lesson.text)
    assert lesson.pages, "a page of the web app links to it"
    for question in lesson.quiz:
        assert question.ask.endswith(("?", ":")), question.ask
        assert all(choice.text.strip() and len(choice.why) > 20 for choice in question.choices)
        assert len({choice.text for choice in question.choices}) == len(question.choices)


@of_each
def test_what_a_lesson_points_to_is_there(lesson):
    for page in lesson.docs:
        assert (ROOT / "docs" / page).is_file(), page
    for target in re.findall(r"\]\(([^)]+)\)", lesson.text):
        assert re.fullmatch(r"[a-z0-9-]+", target), f"{target}: a link names another lesson"
        assert find(target).name == target
    assert lesson.exercise.sample is None or lesson.exercise.sample in samples()


def test_the_right_answers_are_not_always_of_one_letter():
    letters = [question.letter for lesson in LESSONS for question in lesson.quiz]
    assert all(letters.count(letter) <= len(letters) * 0.5 for letter in "abcd")


def commands() -> list[tuple[str, str]]:
    """Every `brewslm …` that a lesson tells to type, in its exercise and in its text."""
    found = []
    for lesson in LESSONS:
        spans = re.findall(r"`(brewslm [^`]+)`", lesson.text) + re.findall(r"^ {4}(brewslm .+)$", lesson.text, re.MULTILINE)
        words = " ".join(f"{one.goal} {step.said}" for one in [lesson.exercise] for step in one.steps)
        spans += re.findall(r"`(brewslm [^`]+)`", words)
        found += [(lesson.name, line) for line in (*lesson.exercise.commands, *spans) if line.startswith("brewslm ")]
    return sorted(set(found))


@pytest.mark.parametrize(("lesson", "line"), commands())
def test_a_command_of_a_lesson_can_be_typed(lesson, line):
    words = shlex.split(line.split(" > ")[0].replace("{project}", "1"))[1:]
    whole = (lesson, line) in {(one.name, command) for one in LESSONS for command in one.exercise.commands}
    command, context = typer.main.get_command(app), None
    while hasattr(command, "commands"):
        context = command.make_context("brewslm", list(words), parent=context, resilient_parsing=False)
        rest = [*context._protected_args, *context.args]
        if not rest:
            assert command.invoke_without_command, f"{line} ends before its verb"
            return
        _, command, words = command.resolve_command(context, rest)
    if whole:
        command.make_context(line, list(words), parent=context)
    else:  # in running text a verb may stand by its name alone
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known


def test_a_figure_has_only_colours_in_which_it_can_be_read():
    words = {foreground for foreground, _, ratio in theme.PAIRS if ratio >= 4.5}
    assert words >= TEXT_COLOURS
    assert set(theme.LIGHT) >= MARK_COLOURS


def test_words_on_a_faint_shape_meet_aa_in_both_themes():
    from brewslm.academy.figure import FAINT

    def light(colour: tuple[float, ...]) -> float:
        parts = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    def rgb(colour: str) -> tuple[float, ...]:
        return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))

    for tokens in (theme.LIGHT, theme.DARK):
        for mark in MARK_COLOURS:
            mixed = tuple(FAINT * m + (1 - FAINT) * s for m, s in zip(rgb(tokens[mark]), rgb(tokens["surface"]), strict=True))
            pair = sorted((light(mixed), light(rgb(tokens["text"]))))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, mark


GOOD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" role="img" aria-labelledby="t d">'
    '<title id="t">A</title><desc id="d">B</desc>{}</svg>'
)


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<script>1</script>", "no shape"),
        ('<rect onload="x()"/>', "can act or fetch"),
        ('<g href="http://a.example"/>', "can act or fetch"),
        ('<rect fill="url(#a)" fill-opacity="0.1"/>', "address"),
        ('<rect fill="#ff0000" fill-opacity="0.1"/>', "no colour of the theme"),
        ('<text fill="var(--chart-1)">a</text>', "no colour of the theme"),
        ('<rect fill="var(--chart-1)"/>', "covers at most"),
        ("<rect", "no XML"),
    ],
)
def test_a_figure_that_acts_fetches_or_can_not_be_read_is_refused(inside, said):
    assert said in " ".join(figure_problems(GOOD.format(inside)))


def test_a_figure_needs_its_words():
    assert figure_problems(GOOD.format("")) == []
    assert figure_problems(GOOD.format("").replace("<desc", "<g><desc").replace("</desc>", "</desc></g>"))
    assert figure_problems(GOOD.format("").replace('"t d"', '"t"'))
    assert figure_problems(GOOD.format("").replace("viewBox", 'width="9" viewBox'))


@pytest.fixture
def lesson_file(tmp_path):
    """A lesson that is right, to be spoilt."""
    first = LESSONS[0]
    source = ROOT / "brewslm/academy"
    (tmp_path / "figures").mkdir()
    (tmp_path / "lessons").mkdir()
    (tmp_path / "figures" / f"{first.name}.svg").write_text((source / "figures" / f"{first.name}.svg").read_text())
    path = tmp_path / "lessons" / f"01-{first.name}.md"
    path.write_text((source / "lessons" / path.name).read_text())
    return path


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("right: true\n", "rihgt: true\n", ".rihgt: Extra inputs"),
        ("right: true\n", "right: false\n", "one choice of a question is right"),
        ("reasons: [dataset_import_run]", "reasons: [dataset_import_ran]", "dataset_import_ran is no event's reason code"),
        ("reasons: [dataset_import_run]", "reasons: [unknown_project]", "unknown_project is no event's reason code"),
        ("stage: ingestion", "stage: prepare", "is of the stage ingestion, not prepare"),
        ("accepted_count: {", "accepted: {", "has no field accepted"),
        ("accepted_count: {at_least: 100}", "accepted_count: {}", "must ask something"),
        ("part: foundations", "part: basics", "part: Input should be"),
        ("pages: [playground, data]", "pages: [home]", "pages.0: Input should be"),
        ("---\ntitle", "title", "begins with front matter"),
    ],
)
def test_a_lesson_that_is_not_right_is_refused_by_name_and_place(lesson_file, was, becomes, said):
    text = lesson_file.read_text()
    assert was in text
    lesson_file.write_text(text.replace(was, becomes, 1))
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        read_lesson(lesson_file)
    assert lesson_file.name in str(error.value)


def test_a_lesson_without_its_figure_is_refused(lesson_file):
    read_lesson(lesson_file)
    next((lesson_file.parents[1] / "figures").iterdir()).unlink()
    with pytest.raises(ValueError, match="no such figure"):
        read_lesson(lesson_file)


def test_a_lesson_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(StageError) as error:
        find("token")
    assert error.value.reason.code == "unknown_lesson" and "did you mean tokens?" in error.value.cause


@pytest.mark.parametrize("page", get_args(Page))
def test_every_page_of_the_web_app_has_a_lesson(page):
    assert 1 <= len(lessons_of(page)) <= 9
