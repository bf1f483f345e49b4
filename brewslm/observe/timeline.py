"""The timeline as a tree: a run's events under it, and under a run what ran as its part.

A page has so many trees. A tree stands where its newest event that fits stands, so that pages meet without a gap or an overlap,
either way, while trees grow in the middle of it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brewslm.audit.filters import EventFilter
from brewslm.observe.event_index import conditions, find
from brewslm.observe.events import EventView, event_view
from brewslm.pipeline.runs import shown_state
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import Run, RunEvent

TREES = 20
MOST_TREES = 100
SHOWN = 20
"""Events of one run in the tree: its newest that fit. `brewslm audit tail --run` has all."""
LARGEST = 500
"""Runs of one tree that are looked at."""
_WALK = 100


class RunNode(BaseModel):
    """A run with its events and its parts.

    Attributes:
        run: Its id; None for an event that belongs to no run.
        operation, state: As the run stands in the table; None where it is not there. One that runs while nobody holds its lock is
            "interrupted".
        severities: All of its own events, by severity.
        fitting: How many of them fit the filter.
        events: The newest of these, oldest first.
        parts: The runs under it of which an event fits, oldest first.
    """

    run: str | None
    operation: str | None = None
    state: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    severities: dict[str, int] = {}
    fitting: int = 0
    events: list[EventView]
    parts: list["RunNode"] = []


class TimelinePage(BaseModel):
    """Trees, newest first.

    Attributes:
        older: Ask with `before` this for the next page; None at the end.
        newer: Ask with `after` this; None on the newest page.
    """

    trees: list[RunNode]
    older: int | None
    newer: int | None


def timeline(
    project: int,
    *,
    wanted: EventFilter | None = None,
    after: int | None = None,
    before: int | None = None,
    limit: int = TREES,
) -> TimelinePage:
    """A page of trees.

    Args:
        wanted: Of which events; with `run` the one tree that begins at this run.
        after: The trees just newer than this cursor.
        before: The trees just older than this one. Without either, the newest.
        limit: At most so many trees, and at most 100.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    wanted = (wanted or EventFilter()).model_copy(update={"project": project})
    limit = min(limit, MOST_TREES)
    with reading() as session:
        if project:
            project_of(session, project)
        families = _Families(session, wanted.model_copy(update={"run": None}))
        if wanted.run is not None:
            trees = [families.family(wanted.run)]
            return TimelinePage(trees=[tree for tree in _grown(session, families, trees) if _shows(tree)], older=None, newer=None)
        heads = list(_heads(session, families, after, before, limit + 1))
        beyond, heads = len(heads) > limit, heads[:limit]
        if after is not None:
            heads.reverse()
        alone = [head for head in heads if head.run_id is None]
        trees = [families.family(families.root(head)) for head in heads if head.run_id is not None]
        grown = {tree.run: tree for tree in _grown(session, families, trees)}
        by_event = {tree.events[0].id: tree for tree in _alone(alone)}
        shown = [by_event[head.id] if head.run_id is None else grown[families.root(head)] for head in heads]
    older = heads[-1].id if heads and (beyond or after is not None) else None
    newer = heads[0].id if heads and (before is not None or (after is not None and beyond)) else None
    return TimelinePage(trees=shown, older=older, newer=newer)


class _Family(BaseModel):
    """The runs of a tree: its root, and each run's parts."""

    root: str
    parts: dict[str, list[str]]


class _Families:
    """Who belongs to whom, and where each tree stands: looked up for many events at once, and once each."""

    def __init__(self, session: Session, wanted: EventFilter) -> None:
        self._session, self.wanted = session, wanted
        self._parents: dict[str, str | None] = {}
        self._families: dict[str, _Family] = {}
        self._newest: dict[str, int] = {}

    def know(self, events: Sequence[RunEvent]) -> None:
        """Look up all that the methods below tell of these events."""
        for event in events:
            if event.run_id is not None and event.parent_run_id is not None:
                self._parents.setdefault(event.run_id, event.parent_run_id)
        self._know_parents({event.run_id for event in events if event.run_id is not None})
        self._know_families({self.root(event) for event in events if event.run_id is not None})

    def root(self, event: RunEvent) -> str:
        """The run at the top of an event's tree."""
        assert event.run_id is not None
        run, seen = event.run_id, {event.run_id}
        while (parent := self._parents[run]) is not None and parent not in seen:
            run = parent
            seen.add(run)
        return run if parent is None else min(seen)  # of a ring, whoever is asked, the same one

    def family(self, root: str) -> _Family:
        """The tree under a run."""
        self._know_families({root})
        return self._families[root]

    def newest(self, root: str) -> int:
        """The id of the tree's newest event that fits."""
        if root not in self._newest:
            found = find(self._session, self.wanted, limit=1, runs=list(self._families[root].parts))
            self._newest[root] = found[0].id if found else 0
        return self._newest[root]

    def _know_parents(self, runs: set[str]) -> None:
        """Of these runs, and of all above them."""
        wave = runs | {parent for run in runs if (parent := self._parents.get(run)) is not None}
        while unknown := [run for run in wave if run not in self._parents]:
            pair = (RunEvent.run_id, func.max(RunEvent.parent_run_id))
            told = select(*pair).where(RunEvent.run_id.in_(unknown)).group_by(RunEvent.run_id)
            found = {run: parent for run, parent in self._session.execute(told).tuples() if parent is not None}
            rest = [run for run in unknown if run not in found]
            kept = select(Run.id, Run.request, Run.parent_run_id).where(Run.id.in_(rest))
            for run, request, parent in self._session.execute(kept).tuples():  # as execute tells it
                found[run] = request.get("experiment") or parent
            self._parents |= {run: found.get(run) for run in unknown}
            wave = {parent for parent in found.values() if parent is not None}

    def _know_families(self, roots: set[str]) -> None:
        """Their trees, level by level; and without a text, which the database can't see, where each tree stands."""
        owner = {root: root for root in roots if root not in self._families}
        made = {root: _Family(root=root, parts={root: []}) for root in owner}
        level = list(owner)
        while level:
            pair = (RunEvent.parent_run_id, RunEvent.run_id, func.min(RunEvent.id))
            query = select(*pair).where(RunEvent.parent_run_id.in_(level), RunEvent.run_id.is_not(None))
            level = []
            for parent, run, _ in self._session.execute(query.group_by(pair[0], pair[1]).order_by(pair[2])).tuples():
                if run is None or parent is None or run in owner or len(made[owner[parent]].parts) >= LARGEST:
                    continue
                owner[run] = owner[parent]
                made[owner[run]].parts[run] = []
                made[owner[run]].parts[parent].append(run)
                level.append(run)
        self._families |= made
        if owner and self.wanted.text is None:
            self._newest |= dict.fromkeys(made, 0)
            last = select(RunEvent.run_id, func.max(RunEvent.id)).where(
                RunEvent.run_id.in_(owner), *conditions(_anywhere(self.wanted))
            )
            for run, at in self._session.execute(last.group_by(RunEvent.run_id)).tuples():
                root = owner[run or ""]
                self._newest[root] = max(self._newest[root], at)


def _anywhere(wanted: EventFilter) -> EventFilter:
    """The filter for the events of known runs: a run's id says its project, and to ask for both takes the slower index."""
    return wanted.model_copy(update={"project": None})


def _heads(session: Session, families: _Families, after: int | None, before: int | None, limit: int) -> Iterator[RunEvent]:
    """The newest event that fits of each tree, on the way from the cursor."""
    ahead, left = after is not None, limit
    while left:
        found = find(session, families.wanted, after=after, before=before, limit=_WALK)
        families.know(found)
        for event in found:
            if left and (event.run_id is None or families.newest(families.root(event)) == event.id):
                left -= 1
                yield event
        if len(found) < _WALK:
            return
        after, before = (found[-1].id, before) if ahead else (None, found[-1].id)


def _grown(session: Session, families: _Families, trees: Sequence[_Family]) -> list[RunNode]:
    """The trees with their events, whatever their number in a few queries."""
    runs = [run for tree in trees for run in tree.parts]
    columns = (Run.id, Run.operation, Run.state, Run.created_at, Run.started_at, Run.ended_at)
    known = {run.id: run for run in session.execute(select(*columns).where(Run.id.in_(runs)))}
    counted = select(RunEvent.run_id, RunEvent.severity, func.count()).where(RunEvent.run_id.in_(runs))
    severities: dict[str, dict[str, int]] = {}
    for run, severity, count in session.execute(counted.group_by(RunEvent.run_id, RunEvent.severity)).tuples():
        severities.setdefault(run or "", {})[severity] = count
    shown = _shown(session, families.wanted, runs)

    def grow(tree: _Family, run: str) -> RunNode:
        row = known.get(run)
        fitting, newest = shown.get(run, (0, []))
        return RunNode(
            run=run,
            operation=row.operation if row else None,
            state=shown_state(row.id, row.state) if row else None,
            created_at=row.created_at if row else None,
            started_at=row.started_at if row else None,
            ended_at=row.ended_at if row else None,
            severities=severities.get(run, {}),
            fitting=fitting,
            events=[event_view(event) for event in newest],
            parts=[part for part in (grow(tree, under) for under in tree.parts[run]) if _shows(part)],
        )

    return [grow(tree, tree.root) for tree in trees]


def _shown(session: Session, wanted: EventFilter, runs: Sequence[str]) -> dict[str, tuple[int, list[RunEvent]]]:
    """Of each run how many events fit, and the newest of these, oldest first."""
    found: dict[str, tuple[int, list[RunEvent]]] = {}
    if wanted.text is not None:
        for event in reversed(find(session, wanted, limit=SHOWN * TREES, runs=runs)):
            count, kept = found.get(event.run_id or "", (0, []))
            found[event.run_id or ""] = (count + 1, [*kept, event][-SHOWN:])
        return found
    place = func.row_number().over(partition_by=RunEvent.run_id, order_by=RunEvent.id.desc()).label("place")
    many = func.count().over(partition_by=RunEvent.run_id).label("many")
    inner = select(RunEvent.id, place, many).where(RunEvent.run_id.in_(runs), *conditions(_anywhere(wanted))).subquery()
    query = select(RunEvent, inner.c.many).join(inner, inner.c.id == RunEvent.id).where(inner.c.place <= SHOWN)
    for event, count in session.execute(query.order_by(RunEvent.id)).tuples():
        found.setdefault(event.run_id or "", (count, []))[1].append(event)
    return found


def _alone(events: Sequence[RunEvent]) -> list[RunNode]:
    """Events that belong to no run."""
    views = [event_view(event) for event in events]
    return [RunNode(run=None, severities={view.severity: 1}, fitting=1, events=[view]) for view in views]


def _shows(node: RunNode) -> bool:
    return bool(node.events or node.parts)
