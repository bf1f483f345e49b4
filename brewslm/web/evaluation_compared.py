"""Evaluations of the same rows held against each other, row by row: what the others fixed and broke beside the first."""

from collections.abc import Callable
from functools import partial
from typing import Any

from nicegui import ui

from brewslm.observe.answers import PAGE, payloads
from brewslm.observe.evaluations import Compared, ComparedRow, Comparison, comparison
from brewslm.observe.figures import counted
from brewslm.observe.scorecards import EvaluationView, evaluations
from brewslm.web.evaluation_asked import Asked
from brewslm.web.evaluation_rows import SIGNS
from brewslm.web.fields import Select
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import Column, chips, pager, table
from brewslm.web.words import percent

SHORT = 200
Texts = dict[str, dict[str, Any]]


def comparison_tab(asked: Asked) -> Callable[[], object]:
    """Read it.

    Raises:
        StageError(InvalidRequest, UnknownRun, NotComparable, NotAnalysed): See `comparison`.
    """
    others = [one for one in (asked.against or "").split(",") if one]
    known = [one for one in evaluations(asked.project).evaluations if one.evaluation != asked.evaluation]
    found = comparison([asked.evaluation or "", *others]) if others else None
    rows = _fitting(asked, found) if found else []
    texts = payloads(asked.evaluation or "", [one.row_id for one in rows[asked.start : asked.start + PAGE]])
    return partial(_draw, asked, known, found, rows, texts)


def _draw(
    asked: Asked, known: list[EvaluationView], found: Comparison | None, rows: list[ComparedRow], texts: Texts
) -> None:  # fmt: skip
    with box("section", "card", aria_labelledby="compared"):
        title = f"Beside {asked.evaluation}" if found else f"Hold another evaluation against {asked.evaluation}"
        Text("h2", title, id="compared")
        if not known:
            Text("p", "There is no other evaluation yet.", "empty")
            return
        if found is None or len(found.evaluations) == 2:
            options = {"": "choose one"} | {
                one.evaluation: f"{one.evaluation}: {one.measured or one.experiment}" for one in known
            }
            Select(
                "Against", options, asked.against or "", lambda one: ui.navigate.to(asked.address("compare", against=one or None))
            )
        if found is not None:
            _outcomes(asked, found)
    if found is not None:
        _rows(asked, found, rows, texts)


def _outcomes(asked: Asked, found: Comparison) -> None:
    columns = (
        Column[Compared]("Evaluation", partial(_name, asked), "mono"),
        Column[Compared]("Of", lambda one: one.experiment, "mono"),
        Column[Compared]("Right rows", lambda one: _share(one.correct, found.n), "figure"),
        Column[Compared]("Fixed", lambda one: "" if one.p_value is None else f"{len(one.fixed):,}", "figure"),
        Column[Compared]("Broken", lambda one: "" if one.p_value is None else f"{len(one.broken):,}", "figure"),
        Column[Compared]("McNemar's test", _test),
    )  # fmt: skip
    table("What came of each", columns, found.evaluations)
    right = counted(found.always_right, "row was", "rows were")
    same = f"{right} right in all, {found.always_wrong:,} wrong in all, {len(found.changed):,} changed"
    Text("p", f"{same}. Fixed and broken are told beside {found.evaluations[0].evaluation}.", "muted figure")


def _name(asked: Asked, one: Compared) -> None:
    link(one.evaluation, asked.model_copy(update={"evaluation": one.evaluation}).address("scorecard"))


def _share(right: int, rows: int) -> str:
    return f"{right:,} of {rows:,} ({percent(right / max(1, rows))})"


def _test(one: Compared) -> str:
    """In words: exact, of fixed against broken, corrected for as many as were compared."""
    if one.p_value is None or one.p_corrected is None:
        return "held against"
    chance = "p < 0.001" if one.p_corrected < 0.001 else f"p = {one.p_corrected:.3f}"
    if one.p_corrected >= 0.05:
        return f"{chance}: no difference that these rows can tell"
    return f"{chance}: {'better' if len(one.fixed) > len(one.broken) else 'worse'} than chance explains"


def _kinds(found: Comparison) -> dict[str, set[str]]:
    others = found.evaluations[1:]
    return {"fixed": {row for one in others for row in one.fixed}, "broken": {row for one in others for row in one.broken}}


def _fitting(asked: Asked, found: Comparison) -> list[ComparedRow]:
    kinds = _kinds(found)
    return [one for one in found.changed if asked.change is None or one.row_id in kinds[asked.change]]


def _rows(asked: Asked, found: Comparison, rows: list[ComparedRow], texts: Texts) -> None:
    shown = rows[asked.start : asked.start + PAGE]
    with box("section", "card", aria_labelledby="changed"):
        Text("h2", "Rows that changed", id="changed")
        entries: list[tuple[str, str, int | None]] = [("all", asked.turned(change=None), len(found.changed))]
        entries += [(kind, asked.turned(change=kind), len(of)) for kind, of in _kinds(found).items()]
        chips("Change", entries, asked.change or "all")
        if not shown:
            Text("p", "No row changed so.", "empty")
            return
        columns = [
            Column[ComparedRow]("Row", partial(_row, texts), "said"),
            Column[ComparedRow]("Expected", lambda one: _short(one.expected), "said"),
        ]
        columns += [
            Column[ComparedRow](one.evaluation, partial(_output, place)) for place, one in enumerate(found.evaluations)
        ]  # fmt: skip
        table("Rows that changed", columns, shown)
        end = asked.start + len(shown)
        links = [("Previous", asked.turned(start=max(0, asked.start - PAGE)))] if asked.start else []
        links += [("Next", asked.turned(start=end))] if end < len(rows) else []
        pager(f"{asked.start + 1:,} to {end:,} of {len(rows):,}", links)


def _row(texts: Texts, one: ComparedRow) -> None:
    link(one.row_id, f"/rows/{one.row_id}", "mono")
    asked = " · ".join(str(value) for value in texts.get(one.row_id, {}).values() if value and value != one.expected)
    Text("div", _short(asked), "asked-text")


def _output(place: int, one: ComparedRow) -> None:
    Badge(SIGNS["right" if one.correct[place] else "wrong"])
    Text("div", _short(one.outputs[place]), "mono said")


def _short(value: Any) -> str:
    said = value if isinstance(value, str) else "–" if value is None else str(value)
    return said if len(said) <= SHORT else f"{said[:SHORT]}…"
