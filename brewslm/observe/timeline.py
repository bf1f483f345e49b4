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
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import Run, RunEvent

TREES = 20
MOST_TREES = 100
SHOWN = 20
"""Events of one run in the tree: its newest that fit. `brewslm audit tail --run` has all."""
LARGEST = 500
"""Runs of one tree that are looked at."""
_WALK = 200


class RunNode(BaseModel):
    """A run with its events and its parts.

    Attributes:
        run: Its id; None for an event that belongs to no run.
        operation, state: As the run stands in the table; None where it is not there.
        severities: All of its own events, by severity.
        fitting: How many of them fit the filter.
        events: The newest of these, oldest first.
        parts: The runs under it of which an event fits, oldest first.
    """

    run: str | None
    operation: str | None = None
    state: str | None = None
    created_at: datetime | None = None
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
    """Who belongs to whom; looked up once each."""

    def __init__(self, session: Session, wanted: EventFilter) -> None:
        self._session, self.wanted = session, wanted
        self._parents: dict[str, str | None] = {}
        self._families: dict[str, _Family] = {}
        self._newest: dict[str, int] = {}

    def root(self, event: RunEvent) -> str:
        """The run at the top of an event's tree."""
        assert event.run_id is not None
        if event.parent_run_id is not None:
            self._parents.setdefault(event.run_id, event.parent_run_id)
        run, seen = event.run_id, {event.run_id}
        while (parent := self._parent(run)) is not None and parent not in seen:
            run = parent
            seen.add(run)
        return run if parent is None else min(seen)  # of a ring, whoever is asked, the same one

    def _parent(self, run: str) -> str | None:
        if run not in self._parents:
            query = select(RunEvent.parent_run_id).where(RunEvent.run_id == run, RunEvent.parent_run_id.is_not(None)).limit(1)
            self._parents[run] = self._session.scalar(query) or _parent_of(self._session.get(Run, run))
        return self._parents[run]

    def family(self, root: str) -> _Family:
        """The tree under a run."""
        if root not in self._families:
            parts: dict[str, list[str]] = {root: []}
            level = [root]
            while level and len(parts) < LARGEST:
                pair = (RunEvent.parent_run_id, RunEvent.run_id, func.min(RunEvent.id))
                query = select(*pair).where(RunEvent.parent_run_id.in_(level), RunEvent.run_id.is_not(None))
                under = self._session.execute(query.group_by(pair[0], pair[1]).order_by(pair[2])).tuples()
                level = []
                for parent, run, _ in under:
                    if run is not None and parent is not None and run not in parts:
                        parts[run] = []
                        parts[parent].append(run)
                        level.append(run)
            self._families[root] = _Family(root=root, parts=parts)
        return self._families[root]

    def newest(self, root: str) -> int:
        """The id of the tree's newest event that fits."""
        if root not in self._newest:
            runs = list(self.family(root).parts)
            if self.wanted.text is not None:
                found = find(self._session, self.wanted, limit=1, runs=runs)
                self._newest[root] = found[0].id if found else 0
            else:
                query = select(func.max(RunEvent.id)).where(RunEvent.run_id.in_(runs), *conditions(_anywhere(self.wanted)))
                self._newest[root] = self._session.scalar(query) or 0
        return self._newest[root]


def _parent_of(run: Run | None) -> str | None:
    """As execute tells it: evaluations and exports hang under their experiment."""
    return (run.request.get("experiment") or run.parent_run_id) if run is not None else None


def _anywhere(wanted: EventFilter) -> EventFilter:
    """The filter for the events of known runs: a run's id says its project, and to ask for both takes the slower index."""
    return wanted.model_copy(update={"project": None})


def _heads(session: Session, families: _Families, after: int | None, before: int | None, limit: int) -> Iterator[RunEvent]:
    """The newest event that fits of each tree, on the way from the cursor."""
    ahead, left = after is not None, limit
    while left:
        found = find(session, families.wanted, after=after, before=before, limit=_WALK)
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
    known = {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(runs)))}
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
            state=row.state if row else None,
            created_at=row.created_at if row else None,
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
