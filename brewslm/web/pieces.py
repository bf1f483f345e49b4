"""The larger pieces that many pages share: what each looks like stands here once, and in pieces.css."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from brewslm.observe.reasons import ReasonView, every_reason
from brewslm.web.parts import Text, box, link
from brewslm.web.words import percent

R = TypeVar("R")
NARROW_COLUMNS = 3
"""As many columns as a narrow screen has room for."""


@contextmanager
def title_row(title: str, line: str = "") -> Iterator[None]:
    """The page's name and one line of state; the block adds at most two actions."""
    with box("div", "title"):
        with box("div"):
            Text("h1", title)
            if line:
                Text("p", line, "muted")
        yield


def tabs(label: str, entries: Sequence[tuple[str, str]], here: str) -> None:
    """Links to views of one thing: (text, target) each; `here` is the text of the one that is shown."""
    with box("nav", "tabs", aria_label=label):
        for text, target in entries:
            made = link(text, target, "tab")
            if text == here:
                made.props["aria-current"] = "page"


def empty(sentence: str, action: str = "", target: str = "") -> None:
    """Nothing is here yet: why, and the one thing to do."""
    with box("div", "nothing"):
        Text("p", sentence, "empty")
        if action:
            link(action, target, "button primary")


def chips(title: str, entries: Sequence[tuple[str, str, int | None]], here: str) -> None:
    """One filter as a row of links: (text, target, how many) each; `here` is the text of the one that holds."""
    with box("nav", "filter", aria_label=f"Filter by {title.lower()}"):
        Text("span", title, "filter-name", aria_hidden="true")
        for text, target, count in entries:
            with link("", target, "chip") as made:
                Text("span", text)
                if count is not None:
                    Text("span", f" {count:,}", "muted figure")
            if text == here:
                made.props["aria-current"] = "true"


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column of a table.

    Attributes:
        title: Its head; "" for a column of actions.
        cell: A row to its text; or draws it, and answers anything else.
        kind: "figure" for numbers (right-aligned, digits of equal width), "mono" for ids and data, "" for words.
    """

    title: str
    cell: Callable[[R], object]
    kind: str = ""


def table(label: str, columns: Sequence[Column[R]], rows: Sequence[R], marked: Callable[[R], bool] | None = None) -> None:
    """A table of one page of rows; the first column names the row. `marked` rows stand out.

    On a narrow screen one of many columns becomes a list: each row with its fields under each other, and their heads beside them.
    """
    kind = "figures rows" + (" stacks" if len(columns) > NARROW_COLUMNS else "")
    with box("div", "wide", tabindex="0", role="region", aria_label=label), box("table", kind):
        with box("thead"), box("tr"):
            for column in columns:
                Text("th", column.title, column.kind, scope="col") if column.title else Text("td")
        with box("tbody"):
            for row in rows:
                with box("tr", "marked" if marked is not None and marked(row) else ""):
                    for place, column in enumerate(columns):
                        more = {"scope": "row"} if place == 0 else {"data_head": column.title} if column.title else {}
                        cell = Text("th" if place == 0 else "td", "", column.kind, **more)
                        with cell:
                            said = column.cell(row)
                            if isinstance(said, str) and cell.default_slot.children:
                                Text("span", said)
                            elif isinstance(said, str):
                                cell.text = said  # without an element for it, of which a table would have hundreds


def pager(said: str, entries: Sequence[tuple[str, str]]) -> None:
    """Under a table: which rows these are ("1–50 of 100,000"), and links such as ("Next", its address)."""
    with box("nav", "pages", aria_label="Pages"):
        Text("span", said, "muted figure")
        for text, target in entries:
            link(text, target)


def stats(entries: Sequence[tuple[str, str, str]]) -> None:
    """A row of figures: (name, figure with its unit, note) each."""
    with box("dl", "stats"):
        for name, said, note in entries:
            with box("div", "stat"):
                Text("dt", name)
                Text("dd", said, "figure")
                if note:
                    Text("dd", note, "muted")


def ledger_bar(rows_in: int, rows_out: int, rejected: Mapping[str, int], rejected_target: str = "", reasons: bool = True) -> None:
    """rows in = rows out + rows rejected, drawn to scale, with the reasons beside it.

    Args:
        rejected: Reason to rows; with `rows_out` they come to `rows_in`.
        rejected_target: The page of the rejected rows.
        reasons: Whether each reason is named under it: a table of them may stand beside.
    """
    lost = sum(rejected.values())
    said = f"{rows_in:,} in = {rows_out:,} out + {lost:,} rejected"
    with box("div", "ledger"):
        with box("div", "ledger-bar", role="img", aria_label=said):
            box("span", "ledger-out").style(f"flex-grow: {rows_out}")
            box("span", "ledger-rejected").style(f"flex-grow: {lost}")
        with box("p", "figure"):
            Text("span", f"{rows_in:,} in = {rows_out:,} out + ")
            if rejected_target and lost:
                link(f"{lost:,} rejected", rejected_target)
            else:
                Text("span", f"{lost:,} rejected")
        if lost and reasons:
            with box("p", "reasons-line"):
                for code, count in sorted(rejected.items(), key=lambda pair: (-pair[1], pair[0])):
                    reason_chip(code, count)


def interval(value: float, low: float, high: float, share: bool = True) -> None:
    """A figure with its 95 % interval: in words, and drawn on a line from 0 to 1 if it is a share."""
    said = f"{percent(value)} ({percent(low)} to {percent(high)})" if share else f"{value:.3g} ({low:.3g} to {high:.3g})"
    with box("span", "interval"):
        Text("span", said, "figure")
        if share:
            with box("span", "interval-line", aria_hidden="true"):
                box("span", "interval-span").style(f"left: {low:.1%}; width: {high - low:.1%}")
                box("span", "interval-point").style(f"left: {value:.1%}")


@cache
def known_reasons() -> dict[str, ReasonView]:
    """Code to what it means and what to do, of runs and of rows."""
    return {one.code: one for one in every_reason()}


def reason_chip(code: str, count: int | None = None, target: str = "") -> None:
    """A reason code that opens to its meaning and remedy, and leads to what it is about if there is a target."""
    with box("details", "popover reason"):
        with box("summary"):
            Text("span", code, "mono")
            if count is not None:
                Text("span", f"{count:,}", "figure")
        with box("div", "popover-panel"):
            known = known_reasons().get(code)
            Text("p", known.meaning if known else "This version does not know this code.")
            if known and known.remedy:
                Text("p", f"Next: {known.remedy}", "muted")
            if target:
                link("Show them" if count is None else f"Show {count:,}", target)
