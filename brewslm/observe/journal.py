"""The Lab Journal: experience, levels, achievements, streaks, and a diary by day.

All of it is worked out from the event stream, and stands nowhere else: a process that has read a stream goes on from there
(journal_kept.py). Experience and achievements go by days in UTC; the diary's days and the streaks that are shown are those of the
zone that is asked for.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.observe.diary_words import against_base, sentence
from brewslm.observe.journal_kept import replayed
from brewslm.observe.journal_replay import Award, Replay, streaks
from brewslm.observe.journal_rules import ACHIEVEMENTS, Achievement, level_begins, level_of, title_of
from brewslm.reasons import REGISTRY
from brewslm.reasons.refusals import InvalidRequest, JournalOff
from brewslm.settings import settings
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import RunEvent

NEWEST = 5
"""Achievements that the journal's first page shows."""
ALIKE = 10
"""How many events of one code a day's page tells one by one."""
LONGEST_DAY = 5000


class AchievementView(BaseModel):
    """An achievement. One that is hidden and not yet unlocked says neither its title nor what it wants.

    Attributes:
        at: When it was unlocked (UTC), by which event of which project; None while it is locked.
        done, times: How far one is.
    """

    id: str
    title: str
    what: str
    experience: int
    hidden: bool
    at: str | None = None
    event: int | None = None
    project: int | None = None
    done: int = 0
    times: int = 1


class JournalView(BaseModel):
    """Where one stands.

    Attributes:
        next_level: The experience at which the next level begins.
        streak: Days in a row on which something was earned, up to the newest such day.
        last_day: That day; None when nothing was earned yet.
        zone: Whose days these are.
        earned: Experience by what it was earned for.
        newest: The achievements that were unlocked last, newest first.
        unlocked, achievements: How many, and of how many.
    """

    project: int | None
    experience: int
    level: int
    title: str
    level_begins: int
    next_level: int
    streak: int
    longest_streak: int
    last_day: date | None
    days: int
    zone: str
    earned: dict[str, int]
    newest: list[AchievementView]
    unlocked: int
    achievements: int


class Entry(BaseModel):
    """A line of the diary.

    Attributes:
        at: The time of day in the diary's zone, such as "14:05".
        experience: What it earned, achievements included.
        unlocked: The titles of achievements that it unlocked.
        more: Events of the same kind on that day that are not told one by one; the line stands for them.
    """

    event: int
    at: str
    ts: str
    project: int
    run_id: str | None
    reason_code: str
    severity: str
    said: str
    experience: int = 0
    unlocked: list[str] = []
    more: int = 0


class Day(BaseModel):
    """A page of the diary.

    Attributes:
        before, after: The nearest days with an event; None where there is none.
        left_out: Events of that day beyond the first 5,000, which are not told.
    """

    day: date
    zone: str
    experience: int
    entries: list[Entry]
    before: date | None
    after: date | None
    left_out: int = 0


def journal(project: int | None = None, zone: str = "UTC") -> JournalView:
    """The journal of one project, or of all.

    Raises:
        StageError(JournalOff): It is switched off.
        StageError(UnknownProject): There is none of this number.
        StageError(InvalidRequest): There is no such time zone.
    """
    with _replayed(project) as replay:
        return _standing(replay, project, zone)


class Journal(BaseModel):
    """All of it: what `journal`, `achievements` and `diary` answer."""

    standing: JournalView
    achievements: list[AchievementView]
    day: Day


def whole_journal(project: int, *, day: date | None = None, zone: str = "UTC") -> Journal:
    """All of it, the stream read once.

    Raises:
        StageError: As `journal`.
    """
    with _replayed(project) as replay:
        return Journal(
            standing=_standing(replay, project, zone), achievements=_ordered(replay), day=_diary(replay, project, day, zone)
        )


def stream_length(project: int) -> int:
    """How many events a journal of this project is worked out from."""
    with reading() as session:
        return session.scalar(select(func.max(RunEvent.sequence)).where(RunEvent.project_id == project)) or 0


def _standing(replay: Replay, project: int | None, zone: str) -> JournalView:
    where = zone_of(zone)
    days = _days([award[2] for award in replay.earned], where)
    streak, longest = streaks(days)
    level = level_of(replay.experience)
    earned: Counter[str] = Counter()
    achievements = {one.id for one in ACHIEVEMENTS}
    for (why, experience), times in Counter((award[4], award[3]) for award in replay.earned).items():
        earned["achievements" if why in achievements else why] += experience * times
    newest = sorted((one for one in _achievements(replay) if one.at), key=lambda one: one.event or 0, reverse=True)
    return JournalView(
        project=project, experience=replay.experience, level=level, title=title_of(level), level_begins=level_begins(level),
        next_level=level_begins(level + 1), streak=streak, longest_streak=longest, last_day=max(days, default=None),
        days=len(days), zone=zone, earned=dict(sorted(earned.items())), newest=newest[:NEWEST], unlocked=len(replay.unlocked),
        achievements=len(ACHIEVEMENTS),
    )  # fmt: skip


def achievements(project: int | None = None) -> list[AchievementView]:
    """Every achievement, those that are unlocked first, the newest of them first.

    Raises:
        StageError(JournalOff): It is switched off.
        StageError(UnknownProject): There is none of this number.
    """
    with _replayed(project) as replay:
        return _ordered(replay)


def _ordered(replay: Replay) -> list[AchievementView]:
    return sorted(_achievements(replay), key=lambda one: (one.at is None, -(one.event or 0)))


def diary(project: int | None = None, *, day: date | None = None, zone: str = "UTC") -> Day:
    """A page of the diary: the newest day with an event, unless another is asked for.

    Raises:
        StageError: As `journal`.
    """
    with _replayed(project) as replay:
        return _diary(replay, project, day, zone)


def _diary(replay: Replay, project: int | None, day: date | None, zone: str) -> Day:
    where = zone_of(zone)
    with reading() as session:
        day = day or _nearest(session, project, None, "before", where) or datetime.now(where).date()
        begins, ends = _bounds(day, where)
        query = select(RunEvent).where(RunEvent.ts >= begins, RunEvent.ts < ends)
        count = select(func.count()).select_from(RunEvent).where(RunEvent.ts >= begins, RunEvent.ts < ends)
        if project is not None:
            query, count = query.where(RunEvent.project_id == project), count.where(RunEvent.project_id == project)
        found = session.scalars(query.order_by(RunEvent.id).limit(LONGEST_DAY)).all()
        total = session.scalar(count) or 0
        awards = [Award._make(award) for award in replay.earned if begins <= award[2] < ends]
        return Day(
            day=day, zone=zone, experience=sum(award.experience for award in awards),
            entries=list(_entries(found, awards, where)), before=_nearest(session, project, begins, "before", where),
            after=_nearest(session, project, ends, "after", where), left_out=max(0, total - LONGEST_DAY),
        )  # fmt: skip


@contextmanager
def _replayed(project: int | None) -> Iterator[Replay]:
    """The fold over the stream: of events that earn nothing, only failures are read."""
    if not settings().journal:
        raise StageError(JournalOff())
    with reading() as session:
        if project:
            project_of(session, project)
        with replayed(session, project) as replay:
            yield replay


def _achievements(replay: Replay) -> Iterator[AchievementView]:
    for one in ACHIEVEMENTS:
        at = replay.unlocked.get(one.id)
        if at is None and one.hidden:
            yield AchievementView(id="hidden", title="Hidden", what="", experience=one.experience, hidden=True)
        else:
            yield AchievementView(
                id=one.id, title=one.title, what=one.what, experience=one.experience, hidden=one.hidden,
                at=at.ts if at else None, event=at.event if at else None, project=at.project if at else None,
                done=min(replay.counts[one.counts], one.times) if at is None else one.times, times=one.times,
            )  # fmt: skip


def _entries(events: Sequence[RunEvent], awards: list[Award], zone: ZoneInfo) -> Iterator[Entry]:
    """A line for each event; of a code that comes again and again, the first ten, and one line for the rest."""
    titles: dict[str, Achievement] = {one.id: one for one in ACHIEVEMENTS}
    of: dict[int, list[Award]] = {}
    for award in awards:
        of.setdefault(award.event, []).append(award)
    results = _results(events)
    told: Counter[tuple[int, str]] = Counter()
    rest: dict[tuple[int, str], Entry] = {}
    for event in events:
        kind = (event.project_id, event.reason_code)
        told[kind] += 1
        earned = of.get(event.id, [])
        if told[kind] > ALIKE and not earned:
            if kind not in rest:
                rest[kind] = _entry(event, f"And more of the kind: {_meaning(event)}", [], titles, zone)
            rest[kind].more += 1
        else:
            payload = orjson.loads(event.payload)
            said = sentence(event.reason_code, event.severity, event.run_id, event.actor, payload)
            result = results.get((event.project_id, event.run_id or "")) if event.reason_code == "training_completed" else None
            yield _entry(event, f"{said[:-1]}; {result}." if result else said, earned, titles, zone)
    yield from rest.values()


def _results(events: Sequence[RunEvent]) -> dict[tuple[int, str], str]:
    """What each experiment that was measured on that day came to."""
    found = {}
    for event in events:
        if event.reason_code == "evaluation_completed":
            payload = orjson.loads(event.payload)
            found[event.project_id, payload["experiment_id"]] = against_base(payload)
    return found


def _meaning(event: RunEvent) -> str:
    reason = REGISTRY.get(event.reason_code)
    return reason.meaning() if reason else event.reason_code


def _entry(event: RunEvent, said: str, awards: list[Award], titles: dict[str, Achievement], zone: ZoneInfo) -> Entry:
    return Entry(
        event=event.id, at=f"{datetime.fromisoformat(event.ts).astimezone(zone):%H:%M}", ts=event.ts, project=event.project_id,
        run_id=event.run_id, reason_code=event.reason_code, severity=event.severity, said=said,
        experience=sum(award.experience for award in awards),
        unlocked=[titles[award.why].title for award in awards if award.why in titles],
    )  # fmt: skip


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a name.

    Raises:
        StageError(InvalidRequest): There is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        cause = "it is a name such as UTC or Europe/Berlin"
        raise StageError(InvalidRequest(), "There is no such time zone", where=name[:60], cause=cause) from None


def _day(ts: str, zone: ZoneInfo) -> date:
    return datetime.fromisoformat(ts).astimezone(zone).date()


def _days(moments: list[str], zone: ZoneInfo) -> set[date]:
    """The days on which these moments lie: worked out once a day, for there are as many moments as events."""
    moments.sort()
    found, at = set[date](), 0
    while at < len(moments):
        day = _day(moments[at], zone)
        found.add(day)
        at = max(at + 1, bisect_left(moments, _bounds(day, zone)[1], at))
    return found


def _bounds(day: date, zone: ZoneInfo) -> tuple[str, str]:
    """When a day begins and ends, as events write their times."""
    begins, ends = (datetime.combine(one, time(), zone).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    return begins.isoformat(timespec="milliseconds"), ends.isoformat(timespec="milliseconds")


def _nearest(
    session: Session, project: int | None, moment: str | None, side: Literal["before", "after"], zone: ZoneInfo
) -> date | None:
    """The day of the nearest event before a moment, or from it on; of the newest event when no moment is given."""
    edge = func.max(RunEvent.ts) if side == "before" else func.min(RunEvent.ts)
    query = select(edge)
    if project is not None:
        query = query.where(RunEvent.project_id == project)
    if moment is not None:
        query = query.where(RunEvent.ts < moment if side == "before" else RunEvent.ts >= moment)
    found = session.scalar(query)
    return _day(found, zone) if found else None
