"""Where the answers of one system go: the confusion matrix, and figures by class, field or kind with how sure they are."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from brewslm.observe.class_figures import Intervals, class_intervals
from brewslm.observe.evaluations import SYSTEM
from brewslm.observe.figures import counted
from brewslm.stages.evaluate.scorecard import Scorecard
from brewslm.web.confusion import confusion_matrix
from brewslm.web.evaluation_asked import Asked
from brewslm.web.parts import Text, box, link
from brewslm.web.pieces import Column, chips, table
from brewslm.web.words import percent, plain


@dataclass(frozen=True)
class Told:
    """What a scorecard tells of one system's answers.

    Attributes:
        by: Such as "per_class", with how sure its figures are.
    """

    system: str
    details: dict[str, Any]
    by: dict[str, Intervals]


def told_of(card: Scorecard, asked: str | None) -> Told:
    """Of the system that is asked for, or of the tuned one."""
    system = asked if asked in card.systems else SYSTEM
    details = card.systems[system].details
    by = [name for name, value in details.items() if name.startswith("per_") and isinstance(value, dict) and value]
    return Told(system, details, {name: class_intervals(details, name) for name in by})


def answers_card(asked: Asked, card: Scorecard, told: Told) -> None:
    """The card."""
    system, details = told.system, told.details
    if not told.by and "confusion" not in details:
        with box("section", "card", aria_labelledby="answers"):
            Text("h2", "Answers", id="answers")
            with box("p"):
                link("Read its answers beside the references", asked.address("rows"))
        return
    with box("section", "card", aria_labelledby="answers"):
        Text("h2", f"Where the answers of {plain(system)} go", id="answers")
        chips("System", [(plain(name), asked.turned(system=name), None) for name in card.systems], plain(system))
        if "confusion" in details:
            confusion_matrix(details["confusion"], lambda a, b: asked.address("rows", expected=a, output=b, system=system))
            unread = card.n - sum(map(sum, details["confusion"]["counts"]))
            if unread:
                with box("p"):
                    link(
                        counted(unread, "answer was no label", "answers were no label"),
                        asked.address("rows", verdict="unusable", system=system),
                    )
        for name, sure in told.by.items():
            _by(asked, system, plain(name.removeprefix("per_")), details[name], sure)


def _by(asked: Asked, system: str, kind: str, found: dict[str, Any], sure: Intervals) -> None:
    """One line of figures each, the shares with their intervals."""
    names = list(dict.fromkeys(name for one in found.values() for name in one))

    def named(one: str) -> str | None:
        if kind != "class":
            return one
        link(one, asked.address("rows", expected=one, system=system))
        return None

    columns: list[Column[str]] = [Column(kind.capitalize(), named)]
    columns += [Column(plain(name), partial(_cell, found, sure, name), "figure") for name in names]
    Text("h3", f"By {kind}" + (", with 95 % intervals" if any(sure.values()) else ""))
    table(f"Figures by {kind}", columns, sorted(found, key=lambda one: -(found[one].get("support") or 0)))


def _cell(found: dict[str, Any], sure: Intervals, name: str, one: str) -> str:
    value, ends = found[one].get(name), sure[one].get(name)
    if ends is not None:
        return f"{percent(value)} ({ends[0] * 100:.1f} – {ends[1] * 100:.1f})"
    if isinstance(value, float):
        return percent(value) if 0 <= value <= 1 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else str(value)
