"""Failure clusters: failed runs told together where they are one fault, by (stage, reason code, signature).

The database groups, and reads failures alone (an index of their own); files are opened only for what is shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson
from pydantic import BaseModel
from sqlalchemy import ColumnElement, and_, case, func, literal_column, or_, select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.observe.differences import FieldDifference, differences, run_differences
from brewslm.pipeline import failures
from brewslm.processes.environment import FILE as ENVIRONMENT
from brewslm.processes.origin import STOPPED, digest, template
from brewslm.reasons import REGISTRY
from brewslm.reasons.refusals import UnknownFailure
from brewslm.store.database import reading
from brewslm.store.files import read_json, run_folder
from brewslm.store.records import project_of
from brewslm.store.tables import Run, RunEvent

PAGE = 20
EXEMPLARS = 5
MOST = 500
WINDOW = timedelta(days=7)
SHORT = timedelta(days=2)
"""A cluster that spans less is counted by the hour."""
BESIDE = timedelta(seconds=5)
"""An event and the line of its run's record are written one after the other."""
_FAILED = "severity IN ('error', 'critical')"
"""As the index of migration 0012 says it: a bound parameter would not find it."""
_WARNED = "severity IN ('warning', 'error', 'critical')"
_TELLING = ("problem", "error", "guard", "blockers")
"""Fields of a payload that tell faults apart where it has no signature, as of a told reason, or one of an older version."""

Trend = Literal["new", "rising", "steady", "falling", "quiet"]


class FailureExemplar(BaseModel):
    """One event of a cluster.

    Attributes:
        said: The event's error; "" when it says none.
        log: Of its run, relative to BREWSLM_HOME; None when there is none.
    """

    event: int
    ts: str
    project: int
    run_id: str | None
    actor: str
    said: str
    log: str | None


class FailureCluster(BaseModel):
    """One fault, however often it was met.

    Attributes:
        id: Twelve hex digits of stage, reason code and signature: the same in every project and on every machine.
        said: What the newest of its events says.
        exception: The exception's type, and frames, outermost first, where one was raised; of the newest run's own record.
        recent: Events of the last seven days; `before`, of the seven before these.
        trend: new (none is older than seven days), rising, steady, falling, or quiet (none of late).
        happening: No run of the same operation has succeeded in the project since; None where no run is known.
    """

    id: str
    stage: str
    reason_code: str
    severity: str
    meaning: str
    remedy: str
    count: int
    first_seen: str
    last_seen: str
    projects: list[int]
    said: str
    exception: str
    frames: list[str]
    recent: int
    before: int
    trend: Trend
    happening: bool | None
    newest: FailureExemplar


class FailureCount(BaseModel):
    """How many events fell on a day, or in an hour (UTC), such as "2026-11-30" or "2026-11-30T14"."""

    at: str
    count: int


class FailureChange(BaseModel):
    """What was otherwise when the same operation next succeeded in the same project, and nothing else.

    Attributes:
        next_run: The run that succeeded; the failed run itself where it was resumed.
        request: Fields of what was asked; `job`, of the frozen job (and its time limit); `environment`, versions and machine.
        left_out: Differences beyond the first hundred of each.
    """

    project: int
    failed_run: str
    failed_at: str
    next_run: str
    succeeded_at: datetime
    resumed: bool
    request: list[FieldDifference]
    job: list[FieldDifference]
    environment: list[FieldDifference]
    left_out: int = 0


class FailureClusterDetail(FailureCluster):
    """A cluster with its exemplars, its counts over time, and what changed before the next success, project by project."""

    exemplars: list[FailureExemplar]
    by: Literal["day", "hour"]
    series: list[FailureCount]
    changes: list[FailureChange]


@dataclass
class _Group:
    """What the database counted: `marks` are the spellings of one fault, `last` is each project's newest (time, event id)."""

    stage: str
    code: str
    severity: str
    count: int = 0
    recent: int = 0
    before: int = 0
    first: str = "~"
    marks: dict[str, None] = field(default_factory=dict)
    last: dict[int, tuple[str, int]] = field(default_factory=dict)

    @property
    def newest(self) -> tuple[str, int]:
        return max(self.last.values())


def clusters(
    project: int | None = None,
    *,
    stage: str | None = None,
    code: str | None = None,
    since: datetime | None = None,
    warnings: bool = False,
    limit: int = PAGE,
) -> list[FailureCluster]:
    """Failure clusters, those with the newest event first.

    Args:
        project: Of this project (0: of none); of all when left out.
        since: Events of this moment and later alone.
        warnings: Count warnings too.
        limit: At most so many.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        found = _groups(session, project, stage, code, since, warnings)
        newest = sorted(found.items(), key=lambda item: item[1].newest, reverse=True)[:limit]
        return _shown(session, dict(newest))


def cluster(cluster_id: str, project: int | None = None) -> FailureClusterDetail:
    """One cluster with all that is known of it; of one project where one is named.

    Raises:
        StageError(UnknownFailure): There is none of this id.
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        group = _group(session, cluster_id, project)
        (shown,) = _shown(session, {cluster_id: group})
        mine = _of(session, group, project)
        hourly = datetime.fromisoformat(shown.last_seen) - datetime.fromisoformat(shown.first_seen) < SHORT
        at = func.substr(RunEvent.ts, 1, 13 if hourly else 10)
        series = session.execute(select(at, func.count()).where(mine).group_by(at).order_by(at)).all()
        newest = session.scalars(select(RunEvent).where(mine).order_by(RunEvent.id.desc()).limit(EXEMPLARS)).all()
        first = session.scalars(select(RunEvent).where(mine).order_by(RunEvent.id).limit(1)).all()
        exemplars = {event.id: _exemplar(event) for event in (*newest, *first)}
        return FailureClusterDetail(
            **shown.model_dump(),
            exemplars=list(exemplars.values()),
            by="hour" if hourly else "day",
            series=[FailureCount(at=when, count=count) for when, count in series],
            changes=[change for one in sorted(group.last) if (change := _change(session, group, one)) is not None],
        )


def occurrences(
    cluster_id: str, project: int | None = None, *, before: int | None = None, after: int | None = None, limit: int = PAGE
) -> list[FailureExemplar]:
    """A cluster's events, newest first; of one project where one is named.

    Args:
        before: The newest of those with a smaller id.
        after: The oldest of those with a greater id.
        limit: At most so many, and at most 500.

    Raises:
        StageError(UnknownFailure): There is none of this id.
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        query = select(RunEvent).where(_of(session, _group(session, cluster_id, project), project))
        if before is not None:
            query = query.where(RunEvent.id < before)
        if after is not None:
            query = query.where(RunEvent.id > after)
        order = RunEvent.id.desc() if after is None else RunEvent.id
        found = [_exemplar(event) for event in session.scalars(query.order_by(order).limit(min(limit, MOST)))]
    return found if after is None else found[::-1]


def _group(session: Session, cluster_id: str, project: int | None) -> _Group:
    for warnings in (False, True):  # a warning's cluster is found by its id too, but costs a look at every warning
        group = _groups(session, project, None, None, None, warnings).get(cluster_id)
        if group is not None:
            return group
    raise StageError(UnknownFailure(), where=cluster_id)


def _groups(
    session: Session, project: int | None, stage: str | None, code: str | None, since: datetime | None, warnings: bool
) -> dict[str, _Group]:
    if project:
        project_of(session, project)
    now = datetime.now(UTC)
    recent, before = _moment(now - WINDOW), _moment(now - 2 * WINDOW)
    mark = _mark(session)
    query = select(
        RunEvent.stage, RunEvent.reason_code, func.max(RunEvent.severity), mark, RunEvent.project_id, func.count(),
        func.min(RunEvent.ts), func.max(RunEvent.ts), func.max(RunEvent.id),
        func.sum(case((RunEvent.ts >= recent, 1), else_=0)),
        func.sum(case((and_(RunEvent.ts >= before, RunEvent.ts < recent), 1), else_=0)),
    ).where(literal_column(_WARNED if warnings else _FAILED))  # fmt: skip
    for column, wanted in ((RunEvent.project_id, project), (RunEvent.stage, stage), (RunEvent.reason_code, code)):
        if wanted is not None:
            query = query.where(column == wanted)
    if since is not None:
        query = query.where(RunEvent.ts >= _moment(since))
    groups: dict[str, _Group] = {}
    for at, of, severity, told, where, count, first, last, event, lately, earlier in session.execute(
        query.group_by(RunEvent.stage, RunEvent.reason_code, mark, RunEvent.project_id)
    ):
        if told == STOPPED:
            continue
        group = groups.setdefault(digest([at, of, _fault(told)]), _Group(at, of, severity))
        group.count, group.recent, group.before = group.count + count, group.recent + lately, group.before + earlier
        group.first = min(group.first, first)
        group.marks[told] = None
        group.last[where] = max(group.last.get(where, ("", 0)), (last, event))
    return groups


def _mark(session: Session) -> ColumnElement[str]:
    """The signature in the payload; where there is none, a JSON array of the fields that tell."""
    if session.get_bind().dialect.name == "postgresql":
        payload = "payload::jsonb"
        signed = f"{payload} ->> 'signature'"
        told = "jsonb_build_array({})::text".format(", ".join(f"{payload} -> '{name}'" for name in _TELLING))
    else:
        signed = "json_extract(payload, '$.signature')"
        told = "json_extract(payload, {})".format(", ".join(f"'$.{name}'" for name in _TELLING))
    return literal_column(f"CASE WHEN coalesce({signed}, '') = '' THEN {told} ELSE {signed} END")


def _fault(mark: str) -> str:
    """The signature; or that of what an unsigned event tells."""
    if not mark.startswith("["):
        return mark
    return digest([template(one) if isinstance(one, str) else one for one in orjson.loads(mark)])


def _of(session: Session, group: _Group, project: int | None) -> ColumnElement[bool]:
    """The events of a group; by the same expression as they were grouped by."""
    mark = _mark(session)
    every = list(group.marks)
    marks = [every[place : place + 500] for place in range(0, len(every), 500)]
    mine = and_(
        literal_column(_FAILED if group.severity in ("error", "critical") else _WARNED),
        RunEvent.stage == group.stage,
        RunEvent.reason_code == group.code,
        or_(*(mark.in_(some) for some in marks)),
    )
    return mine if project is None else and_(mine, RunEvent.project_id == project)


def _shown(session: Session, groups: dict[str, _Group]) -> list[FailureCluster]:
    """The groups as views: events and runs of all of them are looked up together."""
    ids = [event for group in groups.values() for _, event in group.last.values()]
    events = {event.id: event for event in _in_parts(session, RunEvent, RunEvent.id, ids)}
    wanted = {event.run_id for event in events.values() if event.run_id}
    runs = {run.id: run for run in _in_parts(session, Run, Run.id, list(wanted))}
    succeeded: dict[tuple[int | None, str], datetime | None] = {}
    shown = []
    for cluster_id, group in groups.items():
        of = [(events[event], runs.get(events[event].run_id or "")) for _, event in group.last.values()]
        known = [(event, run) for event, run in of if run is not None]
        for _, run in known:
            if (run.project_id, run.operation) not in succeeded:
                succeeded[run.project_id, run.operation] = _last_success(session, run)
        still = [_since(event.ts, succeeded[run.project_id, run.operation]) for event, run in known]
        shown.append(_view(cluster_id, group, events[group.newest[1]], any(still) if still else None))
    return shown


def _in_parts(session: Session, table: Any, column: Any, values: list[Any]) -> Iterable[Any]:
    for place in range(0, len(values), 500):
        yield from session.scalars(select(table).where(column.in_(values[place : place + 500])))


def _last_success(session: Session, run: Run) -> datetime | None:
    query = select(func.max(Run.ended_at)).where(Run.operation == run.operation, Run.state == "succeeded")
    return session.scalar(query.where(_in_project(run.project_id)))


def _in_project(project: int | None) -> ColumnElement[bool]:
    return Run.project_id.is_(None) if project is None else Run.project_id == project


def _since(ts: str, success: datetime | None) -> bool:
    return success is None or datetime.fromisoformat(ts) > success


def _view(cluster_id: str, group: _Group, newest: RunEvent, happening: bool | None) -> FailureCluster:
    reason = REGISTRY.get(group.code)
    kept = _kept(newest)
    return FailureCluster(
        id=cluster_id, stage=group.stage, reason_code=group.code, severity=group.severity,
        meaning=reason.meaning() if reason else "", remedy=reason.remedy if reason else "", count=group.count,
        first_seen=group.first, last_seen=group.newest[0], projects=sorted(group.last), said=_said(newest),
        exception=kept.get("exception", ""), frames=kept.get("frames", []), recent=group.recent, before=group.before,
        trend=_trend(group), happening=happening, newest=_exemplar(newest),
    )  # fmt: skip


def _trend(group: _Group) -> Trend:
    if not group.recent:
        return "quiet"
    if group.recent == group.count:
        return "new"
    if group.recent > group.before * 1.25:
        return "rising"
    return "falling" if group.recent * 1.25 < group.before else "steady"


def _said(event: RunEvent) -> str:
    payload = orjson.loads(event.payload)
    parts = [str(payload[name]) for name in ("problem", "error") if payload.get(name)]
    return ": ".join(dict.fromkeys(parts))


def _kept(event: RunEvent) -> dict[str, Any]:
    """The line of the run's own record that this event was made from; {} when there is none."""
    path = run_folder(event.run_id) / failures.FILE if event.run_id else None
    if path is None or not path.exists():
        return {}
    wanted = orjson.loads(event.payload).get("signature", "")
    told = _moment(datetime.fromisoformat(event.ts) + BESIDE)
    found = {}
    for line in map(orjson.loads, path.read_bytes().splitlines()):
        if line["signature"] == wanted and line["ts"] <= told:
            found = line
    return found


def _exemplar(event: RunEvent) -> FailureExemplar:
    log = f"runs/{event.run_id}/log.txt" if event.run_id and (run_folder(event.run_id) / "log.txt").exists() else None
    return FailureExemplar(
        event=event.id, ts=event.ts, project=event.project_id, run_id=event.run_id, actor=event.actor, said=_said(event), log=log
    )


def _change(session: Session, group: _Group, project: int) -> FailureChange | None:
    """Of the newest failure in this project that a success followed; None when none did."""
    newest = session.get_one(RunEvent, group.last[project][1])
    run = session.get(Run, newest.run_id or "")
    if run is None:
        return None
    good = (Run.operation == run.operation, Run.state == "succeeded", _in_project(run.project_id))
    last = session.scalars(select(Run).where(*good).order_by(Run.ended_at.desc()).limit(1)).first()
    if last is None or last.ended_at is None:
        return None
    query = select(RunEvent).where(_of(session, group, project), RunEvent.ts <= _moment(last.ended_at, "microseconds"))
    event = session.scalars(query.order_by(RunEvent.id.desc()).limit(1)).first()
    failed = session.get(Run, event.run_id or "") if event else None
    if event is None or failed is None:
        return None
    after = (*good, Run.ended_at > datetime.fromisoformat(event.ts))
    succeeded = session.scalars(select(Run).where(*after).order_by(Run.ended_at).limit(1)).first()
    if succeeded is None or succeeded.ended_at is None:
        return None
    return _changed(event, failed, succeeded, succeeded.ended_at)


def _changed(event: RunEvent, failed: Run, succeeded: Run, at: datetime) -> FailureChange:
    kept, after = _kept(event), run_folder(succeeded.id) / ENVIRONMENT
    request, job = run_differences(failed, succeeded, kept.get("time_limit"))
    environment = differences(kept["environment"], read_json(after)) if "environment" in kept and after.exists() else []
    every = (request, job, environment)
    return FailureChange(
        project=event.project_id, failed_run=failed.id, failed_at=event.ts, next_run=succeeded.id, succeeded_at=at,
        resumed=failed.id == succeeded.id, request=request[:100], job=job[:100], environment=environment[:100],
        left_out=sum(max(0, len(one) - 100) for one in every),
    )  # fmt: skip


def _moment(when: datetime, timespec: str = "milliseconds") -> str:
    """As the events' own times are written."""
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec=timespec)
