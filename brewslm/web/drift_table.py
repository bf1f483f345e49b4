"""The drift checks of a slot as a table."""

from functools import partial

from brewslm.metrics.units import said
from brewslm.observe.deployments import SlotView
from brewslm.observe.drift import CheckView
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.pieces import Column, reason_chip, table
from brewslm.web.words import Sign

VERDICTS = {"reference": Sign("idle", "reference"), "steady": Sign("done", "steady"), "drifted": Sign("failed", "drifted")}
RUNS = {"failed": Sign("failed", "not made"), "running": Sign("running", "running"), "queued": Sign("idle", "queued")}


def checks_table(found: list[CheckView], slot: SlotView) -> None:
    """One line each, newest first."""
    columns: tuple[Column[CheckView], ...] = (
        Column("Check", partial(_name, slot.project)),
        Column("Version", lambda one: one.name.removeprefix(f"{slot.name} ")),
        Column("Verdict", _verdict),
        Column("Figure", _figure),
        Column("Was", lambda one: said(one.metric, one.before) if one.look else "–", "figure"),
        Column("Worse, better", lambda one: f"{one.worse:,}, {one.better:,}" if one.look else "–", "figure"),
        Column("p", lambda one: _chance(one.p_value) if one.look else "–", "figure"),
        Column("Rows", lambda one: f"{one.n:,} of {one.rows_from}" if one.look else "–"),
        Column("Worse rows", _worse_rows),
    )
    table("Drift checks", columns, found)


def _name(project: int, one: CheckView) -> None:
    link(one.run, f"/projects/{project}/runs/{one.run}", "mono")
    with box("p"):
        moment(one.created_at, "muted")


def _verdict(one: CheckView) -> None:
    Badge(VERDICTS.get(one.verdict) or RUNS.get(one.verdict) or Sign("idle", one.verdict))
    if one.problem:
        reason_chip(one.problem)
    if one.rollback:
        Text("p", f"rollback {one.rollback['state']}", "muted")


def _figure(one: CheckView) -> str:
    if one.look is None:
        return "–"
    return f"{said(one.metric, one.value)} ({said(one.metric, one.low)} to {said(one.metric, one.high)})"


def _chance(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _worse_rows(one: CheckView) -> None:
    if not one.worse_rows:
        Text("span", "–")
        return
    with box("details", "popover"):
        Text("summary", f"{one.worse:,}")
        with box("ul", "popover-panel"):
            for row in one.worse_rows:
                with box("li"):
                    link(row, f"/rows/{row}", "mono")
