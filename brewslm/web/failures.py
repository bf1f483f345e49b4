"""/ui/projects/{id}/failures: failures that are one fault, told together."""

from datetime import UTC, datetime, timedelta
from functools import partial

import anyio
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from brewslm.observe.clusters import MOST, PAGE, FailureCluster, clusters
from brewslm.reasons import Stage
from brewslm.web.filters import left_out
from brewslm.web.observability import observability
from brewslm.web.opening import opened
from brewslm.web.parts import Badge, Text, box, link, moment
from brewslm.web.pieces import chips, empty, pager, reason_chip
from brewslm.web.query import Heard, address, fields_of, heard
from brewslm.web.words import SEVERITY_SIGNS, Sign

TRENDS = {
    "new": Sign("needs", "new this week"),
    "rising": Sign("failed", "rising"),
    "steady": Sign("needs", "steady"),
    "falling": Sign("idle", "falling"),
    "quiet": Sign("idle", "none this week"),
}
STILL, BEHIND = Sign("failed", "no success since"), Sign("done", "has succeeded since")
PERIODS = {None: "ever", 30: "30 days", 7: "7 days", 1: "24 hours"}


class Asked(BaseModel):
    """Which clusters.

    Attributes:
        days: Of events of so many days.
        warnings: Warnings too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage | None = None
    code: str | None = None
    days: int | None = Field(default=None, ge=1, le=36_500)
    warnings: bool = False
    limit: int = Field(default=PAGE, ge=1, le=MOST)

    def address(self, project: int, **changes: object) -> str:
        """The address of another view."""
        kept = fields_of(self, **changes)
        usual = {"limit": str(PAGE), "warnings": "False"}
        return address(f"/projects/{project}/failures", {name: one for name, one in kept.items() if usual.get(name) != one})


def see(project: int, wanted: Asked) -> list[FailureCluster]:
    """One more than is asked for, to know whether there are more.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    since = datetime.now(UTC) - timedelta(days=wanted.days) if wanted.days else None
    read = partial(clusters, project, stage=wanted.stage, code=wanted.code, since=since, warnings=wanted.warnings)
    return read(limit=wanted.limit + 1)


async def page(project: str, request: Request) -> None:
    """The list."""
    here = await opened(project)
    found = here.project
    asked = heard(Asked, request.query_params)
    wanted = asked.value
    seen = await anyio.to_thread.run_sync(see, found.id, wanted)
    with observability(here, "Failure clusters"):
        with box("section", "card", aria_label="Filter"):
            _filters(asked, found.id)
        with box("section", "card", aria_label="Failure clusters"):
            if not seen:
                _nothing(wanted, found.id)
            with box("ol", "clusters"):
                for one in seen[: wanted.limit]:
                    with box("li", "cluster"):
                        _cluster(found.id, one)
            if len(seen) > wanted.limit:
                more = min(wanted.limit * 4, MOST)
                pager(f"the {wanted.limit:,} that were met last", [(f"Show {more:,}", wanted.address(found.id, limit=more))])


def _filters(asked: Heard[Asked], project: int) -> None:
    wanted = asked.value
    left_out(asked, {}, wanted.address(project))
    periods = [(said, wanted.address(project, days=days), None) for days, said in PERIODS.items()]
    chips("Met in", periods, PERIODS.get(wanted.days, f"{wanted.days} days"))
    stages = [("all", wanted.address(project, stage=None), None)]
    stages += [(one.value, wanted.address(project, stage=one.value), None) for one in Stage]
    chips("Stage", stages, wanted.stage.value if wanted.stage else "all")
    kinds = [
        ("failures", wanted.address(project, warnings=False), None),
        ("warnings too", wanted.address(project, warnings=True), None),
    ]
    chips("What", kinds, "warnings too" if wanted.warnings else "failures")
    if wanted.code:
        with box("p", "filter"):
            Text("span", "Code", "filter-name")
            Text("span", wanted.code, "mono")
            link("every code", wanted.address(project, code=None))


def _nothing(wanted: Asked, project: int) -> None:
    if wanted == Asked():
        empty("Nothing has failed in this project.", "See what happened", f"/projects/{project}/events")
    else:
        empty("No failure fits.", "Show every failure", f"/projects/{project}/failures")


def _cluster(project: int, one: FailureCluster) -> None:
    with box("div", "cluster-head"):
        link(title_of(one), f"/projects/{project}/failures/{one.id}", "cluster-title")
        Text("span", times(one.count), "figure cluster-count")
    with box("div", "event-head"):
        Badge(SEVERITY_SIGNS[one.severity])
        reason_chip(one.reason_code)
        Text("span", one.stage, "muted")
        Badge(TRENDS[one.trend])
        if one.happening is not None:
            Badge(STILL if one.happening else BEHIND)
    with box("p", "muted when"):
        Text("span", "last ")
        moment(datetime.fromisoformat(one.last_seen))
        if one.count > 1:
            Text("span", ", first ")
            moment(datetime.fromisoformat(one.first_seen))
        if one.newest.run_id:
            Text("span", ", in ")
            link(one.newest.run_id, f"/projects/{one.newest.project}/events?run={one.newest.run_id}", "mono")
    if one.frames:
        Text("p", f"at {one.frames[-1]}", "mono muted cut", title=one.frames[-1])
    if one.remedy:
        Text("p", f"Next: {one.remedy}", "muted")


def title_of(one: FailureCluster) -> str:
    """What it says; of one that says nothing, what its code means."""
    return one.said or one.meaning or one.reason_code


def times(count: int) -> str:
    """ "once", "37 times"."""
    return "once" if count == 1 else f"{count:,} times"
