"""Calls and events as tables: what was found in the explorer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from brewslm.observe.diary_words import sentence
from brewslm.observe.events import EventView
from brewslm.observe.explorer import CallView
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.pieces import Column, reason_chip, table
from brewslm.web.words import RUN_SIGNS, SEVERITY_SIGNS, Sign

ACCEPTED = {"accepted": Sign("done", "accepted"), "resumed": Sign("done", "resumed")}
ID_CHARACTERS = 12
Address = Callable[[Mapping[str, str]], str]


def calls_table(project: int, found: Sequence[CallView], here: Address, held: Mapping[str, str]) -> None:
    """Who asked for what, through what, and what came of it.

    Args:
        here, held: Fields to the address that filters by them; and those that hold now.
    """
    table(
        "Calls",
        (
            Column[CallView]("Operation", lambda one: one.operation, "mono"),
            Column[CallView]("When", _when),
            Column[CallView]("By", lambda one: one.actor, "mono"),
            Column[CallView]("Through", lambda one: one.face or "–"),
            Column[CallView]("Answer", _answer),
            Column[CallView]("Run", partial(_run, project)),
            Column[CallView]("Request", partial(_request, here, held), "mono"),
        ),
        found,
    )


def _when(one: CallView) -> None:
    moment(one.ts)


def _answer(one: CallView) -> None:
    if one.outcome in ACCEPTED:
        Badge(ACCEPTED[one.outcome])
    else:
        with box("div", "stacked"):
            Badge(Sign("needs", "refused"))
            reason_chip(one.outcome)


def _run(project: int, one: CallView) -> str | None:
    if one.run_id is None:
        return "–"
    with box("div", "stacked"):
        link(one.run_id, f"/projects/{project}/events?run={one.run_id}", "mono")
        if one.run_state in RUN_SIGNS:
            Badge(RUN_SIGNS[one.run_state])
        if one.problem:
            reason_chip(one.problem)
    return None


def _request(here: Address, held: Mapping[str, str], one: CallView) -> str | None:
    if not one.request_id:
        return "–"
    target = here({**held, "request_id": one.request_id})
    link(one.request_id[:ID_CHARACTERS], target, title=one.request_id, aria_label=f"All calls of the request {one.request_id}")
    return None


def events_table(project: int, found: Sequence[EventView]) -> None:
    """What happened; each event leads to its page."""
    table(
        "Events",
        (
            Column[EventView]("What", partial(_what, project)),
            Column[EventView]("When", _happened),
            Column[EventView]("Severity", _severity),
            Column[EventView]("Run", partial(_event_run, project)),
            Column[EventView]("By", lambda one: one.actor, "mono"),
            Column[EventView]("No.", lambda one: f"{one.sequence:,}", "figure"),
        ),
        found,
    )


def _what(project: int, one: EventView) -> None:
    with box("div", "told"):
        said = sentence(one.reason_code, one.severity, None, one.actor, one.payload, one.actor)
        link(said, f"/projects/{project}/events/{one.id}")
        Text("span", one.reason_code, "mono muted")


def _happened(one: EventView) -> None:
    moment(datetime.fromisoformat(one.ts))


def _severity(one: EventView) -> None:
    Badge(SEVERITY_SIGNS[one.severity])


def _event_run(project: int, one: EventView) -> str | None:
    if one.run_id is None:
        return "–"
    link(one.run_id, f"/projects/{project}/events?run={one.run_id}", "mono")
    return None
