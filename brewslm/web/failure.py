"""/ui/projects/{id}/failures/{cluster}: one fault: how often, where it broke, what mended it, and every run that met it."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import anyio
from fastapi import Request
from pydantic import BaseModel, ConfigDict

from brewslm.observe.clusters import FailureChange, FailureClusterDetail, FailureExemplar, cluster, occurrences
from brewslm.observe.differences import FieldDifference
from brewslm.observe.figures import counted
from brewslm.web.changes import Change, config_diff
from brewslm.web.count_chart import count_chart
from brewslm.web.failures import BEHIND, STILL, TRENDS, times, title_of
from brewslm.web.filters import left_out
from brewslm.web.observability import observability
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.pieces import Column, known_reasons, pager, stats, table
from brewslm.web.query import Cursor, address, heard
from brewslm.web.words import SEVERITY_SIGNS, absolute

EVENTS = 50
TITLE_CHARACTERS = 160


class Asked(BaseModel):
    """A page of the cluster's events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: Cursor | None = None
    after: Cursor | None = None


@dataclass(frozen=True)
class Seen:
    """What the page shows; `events` is one more than a page, where there are more."""

    one: FailureClusterDetail
    events: list[FailureExemplar]


def see(project: int, cluster_id: str, wanted: Asked) -> Seen:
    """Read it.

    Raises:
        StageError(UnknownFailure): The project has none of this id.
    """
    read = partial(occurrences, cluster_id, project, before=wanted.before, after=wanted.after)
    return Seen(cluster(cluster_id, project), read(limit=EVENTS + 1))


async def page(project: str, cluster_id: str, request: Request) -> None:
    """The page."""
    here = await opened(project)
    found = here.project
    asked = heard(Asked, request.query_params)
    wanted = asked.value
    seen = await anyio.to_thread.run_sync(see, found.id, cluster_id, wanted)
    one = seen.one
    said = title_of(one)
    title = said if len(said) <= TITLE_CHARACTERS else f"{said[:TITLE_CHARACTERS]}…"
    with observability(here, "Failure clusters", title, f"Met {times(one.count)}; {one.meaning}", f"Cluster {one.id}"):
        left_out(asked, {}, f"/projects/{found.id}/failures/{cluster_id}")
        _state(one)
        with box("div", "columns"):
            with box("div", "column-of-cards"):
                _what(one)
                _next(one)
            with box("div", "column-of-cards"):
                _when(one)
                _changes(one)
        _events(found.id, cluster_id, wanted, seen.events, one.count)


def _state(one: FailureClusterDetail) -> None:
    with box("section", "card", aria_label="How often"):
        first, last = map(datetime.fromisoformat, (one.first_seen, one.last_seen))
        stats(
            [
                ("Events", f"{one.count:,}", one.reason_code),
                ("In the last 7 days", f"{one.recent:,}", f"{one.before:,} in the 7 days before"),
                ("First met", f"{first:%Y-%m-%d}", absolute(first)),
                ("Last met", f"{last:%Y-%m-%d}", absolute(last)),
            ]
        )
        with box("p", "event-head states"):
            Badge(SEVERITY_SIGNS[one.severity])
            Badge(TRENDS[one.trend])
            if one.happening is not None:
                Badge(STILL if one.happening else BEHIND)


def _what(one: FailureClusterDetail) -> None:
    with box("section", "card", aria_labelledby="what"):
        Text("h2", "What it says", id="what")
        Text("p", title_of(one), "broken")
        if one.exception:
            Text("p", one.exception, "mono")
        if one.frames:
            Text("h3", "Where it broke")
            with box("ol", "frames", tabindex="0", role="region", aria_label="Frames, outermost first"):
                for frame in one.frames:
                    Text("li", frame, "mono")
        if one.newest.log:
            with box("p", "muted"):
                Text("a", "Its newest run's log", "nicegui-link", href=f"/api/tasks/{one.newest.run_id}/log")


def _next(one: FailureClusterDetail) -> None:
    reason = known_reasons().get(one.reason_code)
    with box("section", "card", aria_labelledby="next"):
        Text("h2", "What to do", id="next")
        Text("p", one.remedy or "Nothing is known that mends it.")
        if reason and reason.causes:
            Text("h3", "It likely comes from")
            with box("ol", "causes"):
                for cause in reason.causes:
                    Text("li", cause)


def _when(one: FailureClusterDetail) -> None:
    with box("section", "card", aria_labelledby="when"):
        Text("h2", f"Events by {one.by} (UTC)", id="when")
        count_chart([(each.at, each.count) for each in one.series], one.by)


def _changes(one: FailureClusterDetail) -> None:
    with box("section", "card", aria_labelledby="changed"):
        Text("h2", "What changed before the next success", id="changed")
        if not one.changes:
            Text("p", "No run of the kind has succeeded since: there is nothing to hold it against yet.", "empty")
        for change in one.changes:
            _change(change)


def _change(change: FailureChange) -> None:
    with box("p", "event-head"):
        for said, run in (("after", change.failed_run), ("", change.next_run)):
            Text("span", said or ("was resumed and succeeded" if change.resumed else "succeeded"), "muted")
            if said or not change.resumed:
                link(run, f"/projects/{change.project}/events?run={run}", "mono")
        moment(change.succeeded_at, "muted")
    every = (("asked", change.request), ("worked out", change.job), ("around it", change.environment))
    if not any(fields for _, fields in every):
        Text("p", "Nothing that is recorded: the same was asked, by the same versions. It passed by itself.", "empty")
    for what, fields in every:
        if fields:
            Text(
                "h3",
                {"asked": "In what was asked", "worked out": "In the frozen job", "around it": "In versions and machine"}[what],
            )
            config_diff(f"What was {what} otherwise", [_as_change(each) for each in fields], (change.failed_run, change.next_run))
    if change.left_out:
        Text("p", f"and {change.left_out:,} more differences", "muted")


def _as_change(one: FieldDifference) -> Change:
    return Change(one.field, one.before, one.after)


def _events(project: int, cluster_id: str, wanted: Asked, seen: list[FailureExemplar], count: int) -> None:
    upward, beyond = wanted.after is not None, len(seen) > EVENTS
    shown = (seen[-EVENTS:] if upward else seen[:EVENTS]) if beyond else seen
    here = f"/projects/{project}/failures/{cluster_id}"
    with box("section", "card", aria_labelledby="runs"):
        Text("h2", "Runs that met it", id="runs")
        table(
            "Runs that met it",
            (
                Column[FailureExemplar]("Run", partial(_run, project)),
                Column[FailureExemplar]("When", _moment),
                Column[FailureExemplar]("Said", partial(_said, project)),
                Column[FailureExemplar]("By", lambda each: each.actor, "mono"),
                Column[FailureExemplar]("Log", _log),
            ),
            shown,
        )
        entries = []
        if shown and (beyond if upward else wanted.before is not None):
            entries.append(("Newer", address(here, {"after": str(shown[0].event)})))
        if shown and (upward or beyond):
            entries.append(("Older", address(here, {"before": str(shown[-1].event)})))
        if entries:
            pager(f"{len(shown):,} of {counted(count, 'event')}", entries)


def _run(project: int, each: FailureExemplar) -> str | None:
    if each.run_id is None:
        return "–"
    link(each.run_id, f"/projects/{project}/events?run={each.run_id}", "mono")
    return None


def _moment(each: FailureExemplar) -> None:
    moment(datetime.fromisoformat(each.ts))


def _said(project: int, each: FailureExemplar) -> None:
    link(each.said[:TITLE_CHARACTERS] or f"event {each.event:,}", f"/projects/{project}/events/{each.event}")


def _log(each: FailureExemplar) -> str | None:
    if each.log is None:
        return "–"
    Text("a", "log", "nicegui-link", href=f"/api/tasks/{each.run_id}/log", aria_label=f"Log of {each.run_id}")
    return None
