"""The answers of one system, row by row: what was asked, what was said, and the reference beside it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from brewslm.observe.answers import PAGE, VERDICTS, AnswersPage, AnswerView, answers
from brewslm.observe.evaluations import SYSTEM, error_analysis
from brewslm.observe.figures import counted
from brewslm.web.evaluation_asked import Asked
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import chips, pager
from brewslm.web.words import Sign, plain

SIGNS = {"right": Sign("done", "right"), "wrong": Sign("failed", "wrong"), "unusable": Sign("needs", "unusable")}
ASKED_CHARACTERS = 1200
SCORES_SHOWN = 3


def rows_tab(asked: Asked) -> Callable[[], object]:
    """Read one page of answers.

    Raises:
        StageError(UnknownRun, NotAnalysed, InvalidRequest): See `answers`.
    """
    evaluation = asked.evaluation or ""
    found = answers(
        evaluation, asked.system, verdict=asked.verdict, expected=asked.expected, output=asked.output, cluster=asked.cluster,
        start=asked.start,
    )  # fmt: skip
    cluster = ""
    if asked.cluster is not None:
        cluster = next(one.name for one in error_analysis(evaluation).clusters if one.id == asked.cluster)
    return partial(_draw, asked, found, cluster)


def _draw(asked: Asked, found: AnswersPage, cluster: str) -> None:
    with box("section", "card", aria_label="Filter"):
        chips(
            "System",
            [(plain(name), asked.turned(system=name, cluster=None), None) for name in found.systems],
            plain(found.system),
        )
        entries: list[tuple[str, str, int | None]] = [("all", asked.turned(verdict=None), None)]
        entries += [(name, asked.turned(verdict=name), found.verdicts.get(name, 0)) for name in VERDICTS]
        chips("Answers", entries, asked.verdict or "all")
        for name, value in (("expected", asked.expected), ("output", asked.output), ("cluster", cluster)):
            if value:
                with box("p", "filter"):
                    Text("span", "Predicted" if name == "output" else name.capitalize(), "filter-name")
                    Text("span", value, "mono")
                    link("show every one", asked.turned(**{name: None}))
    with box("section", "card", aria_labelledby="answers"):
        Text("h2", f"{counted(found.total, 'answer')} of {plain(found.system)}", id="answers")
        if not found.answers:
            with box("p", "empty"):
                Text("span", "No answer fits. ")
                link("Show all answers", asked.address("rows", system=asked.system))
            return
        with box("ol", "answers"):
            for one in found.answers:
                _answer(one, found.system)
        _pages(asked, found)


def _pages(asked: Asked, found: AnswersPage) -> None:
    end = found.start + len(found.answers)
    links = [("Previous", asked.turned(start=max(0, found.start - PAGE)))] if found.start else []
    links += [("Next", asked.turned(start=end))] if end < found.total else []
    pager(f"{found.start + 1:,} to {end:,} of {found.total:,}", links)


def _answer(one: AnswerView, system: str) -> None:
    with box("li", "answer"):
        with box("div", "event-head"):
            if one.verdict is not None:
                Badge(SIGNS[one.verdict])
            link(one.row_id, f"/rows/{one.row_id}", "mono")
            for kind, count in one.problems.items():
                Text("span", f"{plain(kind)} {count}" if count != 1 else plain(kind), "muted")
            if one.scores:
                Text("span", _scores(one.scores), "muted figure")
        _asked(one)
        with box("div", "answer-pair"):
            _said("reference", one.expected, "reference")
            _said(plain(system) if system != SYSTEM else "answer", one.output, one.verdict or "")
        if one.said is not None:
            with box("details"):
                Text("summary", "As it was written", "muted")
                Text("p", _cut(one.said), "mono said-text")
        if one.prompt:
            with box("details"):
                Text("summary", "As it was asked", "muted")
                Text("p", _cut(one.prompt), "mono said-text")


def _asked(one: AnswerView) -> None:
    """The row's fields but for the right answer, which stands beside the given one."""
    shown = {name: value for name, value in one.asked.items() if value != one.expected and value not in (None, "", [])}
    if len(shown) == 1:
        Text("p", _cut(_text(next(iter(shown.values())))), "answer-asked")
    elif shown:
        with box("dl", "values"):
            for name, value in shown.items():
                Text("dt", plain(name))
                Text("dd", _cut(_text(value)))
    elif not one.prompt:
        Text("p", "Its text can't be read here: see its passport.", "muted")


def _said(name: str, value: Any, state: str) -> None:
    with box("div", "answer-said" + (f" answer-{state}" if state else "")):
        Text("span", name, "muted")
        Text("p", _cut(_text(value)) or "(nothing)", "mono said-text")


def _scores(scores: dict[str, float]) -> str:
    best = sorted(scores.items(), key=lambda pair: -pair[1])[:SCORES_SHOWN]
    return ", ".join(f"{name} {value:.2f}" for name, value in best)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _cut(text: str) -> str:
    return text if len(text) <= ASKED_CHARACTERS else f"{text[:ASKED_CHARACTERS]}… ({len(text):,} characters)"
