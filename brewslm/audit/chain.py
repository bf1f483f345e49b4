"""The hash chain: each event carries the hash of the one before it, so that no line can be changed unseen."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brewslm.audit.rows import (
    AT_ONCE,
    HASH,
    HASHED,
    ID,
    LATE,
    PREVIOUS,
    PROJECT,
    RUN,
    SEQUENCE,
    TS,
    Range,
    Row,
    range_of,
    rows_of,
)
from brewslm.store.tables import Run, RunEvent

GENESIS = "0" * 64
CLOCK_STEP_SECONDS = 2.0
"""A clock that is set right steps back so far without being told of as turned back."""


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: one value, one spelling."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def hash_of(body: tuple[Any, ...]) -> str:
    """SHA-256, in hex, of the hash before and of an event's fields as a JSON array."""
    return hashlib.sha256(orjson.dumps(body)).hexdigest()


def payload_hash(payload: str) -> str:
    """SHA-256, in hex, of a payload by itself."""
    return hashlib.sha256(payload.encode()).hexdigest()


def link(event: RunEvent) -> str:
    """The hash that an event should carry."""
    late = () if event.written_at is None else (event.written_at,)
    return hash_of((event.previous_hash, *(getattr(event, name) for name in HASHED), *late))


class FaultKind(StrEnum):
    """What was done to a chain."""

    EDITED = "edited"
    PAYLOAD_EDITED = "payload_edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    REHASHED = "rehashed"
    TRUNCATED = "truncated"
    COPIED = "copied"
    SWAPPED_DATABASE = "swapped_database"
    CLOCK_BACK = "clock_back"
    REWRITTEN = "rewritten"


@dataclass(frozen=True)
class Fault:
    """Where a chain is broken.

    Attributes:
        project_id, sequence: Where; 0 and 0 of what concerns the whole database.
        event_id: None where there is no event to name.
    """

    kind: FaultKind
    project_id: int
    sequence: int
    event_id: int | None
    what: str


@dataclass(frozen=True)
class Mark:
    """That a chain had this hash at this sequence, as something outside of the database has it.

    Attributes:
        source: What has it, for a person.
    """

    project_id: int
    sequence: int
    hash: str
    source: str


@dataclass
class _Chain:
    """One project's chain as far as it was read."""

    project_id: int
    marks: dict[int, list[Mark]] = field(default_factory=dict)
    sequence: int = 0
    """Of its last event."""
    hash: str = GENESIS
    newest: str = ""
    """The newest moment that its events tell."""
    is_whole: bool = True
    unlike: list[Fault] = field(default_factory=list)
    """Marks that are not met."""
    runs: set[str | None] = field(default_factory=set)
    """That its events tell of."""


def verify(session: Session, project_id: int | None = None, marks: Iterable[Mark] = ()) -> tuple[int, list[Fault]]:
    """Recompute every chain, or one project's, and hold them against what is known of them from outside.

    Returns:
        How many events were read, and each fault found. An edited event is named by its id; so is a missing one by its sequence.
    """
    from brewslm.audit.diagnosis import diagnose

    by_project: dict[int, dict[int, list[Mark]]] = {}
    for mark in marks:
        by_project.setdefault(mark.project_id, {}).setdefault(mark.sequence, []).append(mark)
    count, chains = _read(session, project_id, by_project)
    for missing in by_project.keys() - {chain.project_id for chain in chains}:
        if project_id in (None, missing):
            chains.append(_Chain(missing, by_project[missing]))
    faults: list[Fault] = []
    for chain in sorted(chains, key=lambda chain: chain.project_id):
        found = [] if chain.is_whole else diagnose(session, chain.project_id)
        faults += found or chain.unlike + _cut_off(chain)
    return count, faults + _of_other_projects(session, chains)


def _read(session: Session, project_id: int | None, marks: Mapping[int, dict[int, list[Mark]]]) -> tuple[int, list[_Chain]]:
    """Each chain up to its end, at the speed of hashing: what is wrong with it is asked afterwards."""
    count, chains = 0, list[_Chain]()
    if session.get_bind().dialect.name != "sqlite":
        for project, rows in groupby(rows_of(session, project_id), key=itemgetter(PROJECT)):
            chains.append(_Chain(project, marks.get(project, {})))
            count += _follow(chains[-1], rows)
        return count, chains
    every = select(RunEvent.project_id).distinct().order_by(RunEvent.project_id)
    for project in session.scalars(every if project_id is None else every.where(RunEvent.project_id == project_id)).all():
        chain = _Chain(project, marks.get(project, {}))
        chains.append(chain)
        count += _follow_ranges(session, chain)
    return count, chains


def _follow_ranges(session: Session, chain: _Chain) -> int:
    """A range at a time, where all of it is as it should be; event by event where not."""
    count, last = 0, None
    while True:
        of_it = [RunEvent.project_id == chain.project_id]
        if last is not None:
            of_it.append(RunEvent.sequence > last)
        first = session.scalar(select(func.min(RunEvent.sequence)).where(*of_it))
        if first is None:
            return count
        last = first + AT_ONCE - 1
        found = range_of(session, chain.project_id, first, last)
        if found is not None and _holds(chain, found):
            count += len(found.hashes)
        else:
            count += _follow(chain, rows_of(session, chain.project_id, first, last))


def _holds(chain: _Chain, found: Range) -> bool:
    """Whether all of the range follows the chain; then the chain goes on behind it, and else it is as it was."""
    size, moments = len(found.hashes), found.moments
    sha256, begins = hashlib.sha256, chain.sequence + 1
    marks = [mark for sequence in chain.marks.keys() & range(begins, begins + size) for mark in chain.marks[sequence]]
    if (
        found.sequences != list(map(str, range(begins, begins + size)))
        or found.previous != [chain.hash, *found.hashes[:-1]]
        or moments[0] < chain.newest
        or sorted(moments) != moments
        or [sha256(body.encode()).hexdigest() for body in found.bodies] != found.hashes
        or any(mark.hash != found.hashes[mark.sequence - begins] for mark in marks)
    ):
        return False
    chain.sequence, chain.hash, chain.newest = chain.sequence + size, found.hashes[-1], moments[-1]
    chain.runs.update(found.runs)
    return True


def _follow(chain: _Chain, rows: Iterable[Row]) -> int:
    """Event by event; returns how many."""
    count, dumps, sha256 = 0, orjson.dumps, hashlib.sha256
    for row in rows:
        count += 1
        late, written = row[LATE], row[HASH]
        body = row[PREVIOUS:LATE] if late is None else row[PREVIOUS:HASH]
        follows = row[PREVIOUS] == chain.hash and row[SEQUENCE] == chain.sequence + 1
        if not follows or sha256(dumps(body)).hexdigest() != written:
            chain.is_whole = False
        moment = late or row[TS]
        if moment >= chain.newest:
            chain.newest = moment
        elif is_back(chain.newest, moment):
            chain.is_whole = False
        chain.sequence, chain.hash = row[SEQUENCE], written
        chain.runs.add(row[RUN])
        if chain.sequence in chain.marks:
            chain.unlike += [_rewritten(row, mark) for mark in chain.marks[chain.sequence] if mark.hash != written]
    return count


def is_back(before: str, after: str) -> bool:
    """Whether the clock was turned back between two events; a moment that is none at all counts so."""
    try:
        return (datetime.fromisoformat(before) - datetime.fromisoformat(after)).total_seconds() > CLOCK_STEP_SECONDS
    except (ValueError, TypeError):
        return True


def _rewritten(row: Row, mark: Mark) -> Fault:
    what = f"its hash is not the one that {mark.source} has: the chain was rewritten up to here, or to a later event"
    return Fault(FaultKind.REWRITTEN, row[PROJECT], row[SEQUENCE], row[ID], what)


def _cut_off(chain: _Chain) -> list[Fault]:
    beyond = [mark for sequence, marks in chain.marks.items() if sequence > chain.sequence for mark in marks]
    if not beyond:
        return []
    last = max(beyond, key=lambda mark: mark.sequence)
    what = f"the chain ends at {chain.sequence}, and {last.source} has its event {last.sequence}: the tail was cut off"
    return [Fault(FaultKind.TRUNCATED, chain.project_id, chain.sequence + 1, None, what)]


def _of_other_projects(session: Session, chains: Sequence[_Chain]) -> list[Fault]:
    """Events that tell of another project's run: a chain that was copied and hashed anew holds by itself."""
    faults = []
    for chain in chains:
        own = set(session.scalars(select(Run.id).where(Run.project_id == chain.project_id)))
        told = sorted(run for run in chain.runs - own if run)
        owners: dict[str, int | None] = {}
        for start in range(0, len(told), AT_ONCE):
            asked = select(Run.id, Run.project_id).where(Run.id.in_(told[start : start + AT_ONCE]), Run.project_id.is_not(None))
            owners |= dict(session.execute(asked).tuples().all())
        for run in sorted(owners):
            first = select(RunEvent.sequence, RunEvent.id).where(RunEvent.project_id == chain.project_id, RunEvent.run_id == run)
            sequence, event = session.execute(first.order_by(RunEvent.sequence).limit(1)).tuples().one()
            what = f"it tells of {run}, which is a run of project {owners[run]}: events were copied from there"
            faults.append(Fault(FaultKind.COPIED, chain.project_id, sequence, event, what))
            break
    return faults
