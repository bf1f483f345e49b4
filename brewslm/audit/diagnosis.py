"""What was done to a chain that is broken. Slow and thorough: it is asked of a chain alone that did not verify.

Each event was hashed with its project and its sequence. So an event that was moved still tells where it stood, and by that an
edited event is told from one that was put between, and a missing one from one that stands elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.audit.chain import GENESIS, Fault, FaultKind, hash_of, is_back, payload_hash
from brewslm.audit.rows import HASH, ID, LATE, PAYLOAD, PREVIOUS, PROJECT, SEQUENCE, TS, Row, rows_of
from brewslm.store.tables import Project, RunEvent

NEAR = 64
"""How far from its place an event is looked for, when the event that it followed is gone too."""
LONG_LOOKS = 500
"""Of a chain's events, so many are looked for in that way."""


@dataclass
class _Place:
    """An event as it stands, and where it stood when it was hashed.

    Attributes:
        project, sequence: Where it stood; None when it is not what was hashed at any place that was tried.
    """

    row: Row
    project: int | None = None
    sequence: int | None = None


def diagnose(session: Session, project_id: int) -> list[Fault]:
    """The faults of a broken chain, in the order of their sequences."""
    rows = list(rows_of(session, project_id))
    places = _places(rows, _projects(session, project_id))
    copied = [place for place in places if place.project not in (None, project_id)]
    own = [place for place in places if place.project in (None, project_id)]
    faults = [_copied(copied)] if copied else []
    hashes = dict(session.execute(select(RunEvent.id, RunEvent.payload_hash).where(RunEvent.project_id == project_id)).all())
    moved = _out_of_place(own, {place.row[PREVIOUS] for place in own})
    named = {fault.event_id for fault in moved}
    left = [place for place in own if place.row[ID] not in named]
    faults += [*moved, *_edited(left, hashes), *_rehashed(left), *_clock(left)]
    return sorted(faults, key=lambda fault: fault.sequence)


def _projects(session: Session, project_id: int) -> list[int]:
    """Every project that the events may come from, this one first."""
    known = {*session.scalars(select(Project.id)), *session.scalars(select(RunEvent.project_id).distinct()), 0}
    known |= set(range(1, max(known) + NEAR))  # of one that is gone
    return [project_id, *sorted(known - {project_id})]


def _body(row: Row, project: int, sequence: int) -> str:
    late = () if row[LATE] is None else (row[LATE],)
    return hash_of((row[PREVIOUS], project, sequence, *row[TS:LATE], *late))


def _places(rows: Sequence[Row], projects: Sequence[int]) -> list[_Place]:
    stands = {row[HASH]: row[SEQUENCE] for row in rows} | {GENESIS: 0}
    places, shift, home, looks = [], 0, projects[0], 0
    for row in rows:
        place = _Place(row)
        places.append(place)
        near = dict.fromkeys((row[SEQUENCE], row[SEQUENCE] + shift, stands.get(row[PREVIOUS], -1) + 1))
        if _find(place, dict.fromkeys((projects[0], home)), near):
            pass
        elif looks < LONG_LOOKS:
            looks += 1
            around = range(max(1, row[SEQUENCE] - NEAR), row[SEQUENCE] + NEAR)
            if not _find(place, projects[:1], around):
                _find(place, projects[1:], near)
        if place.sequence is not None and place.project is not None:
            shift, home = place.sequence - row[SEQUENCE], place.project
    return places


def _find(place: _Place, projects: Iterable[int], sequences: Iterable[int]) -> bool:
    for project in projects:
        for sequence in sequences:
            if _body(place.row, project, sequence) == place.row[HASH]:
                place.project, place.sequence = project, sequence
                return True
    return False


def _copied(places: Sequence[_Place]) -> Fault:
    row, former = places[0].row, places[0].project
    what = f"{len(places):,} events, from this one on, were hashed as events of project {former}: they were copied from there"
    return Fault(FaultKind.COPIED, row[PROJECT], row[SEQUENCE], row[ID], what)


def _out_of_place(places: Sequence[_Place], referred: set[str]) -> list[Fault]:
    """What was deleted, inserted, or stands in another order."""
    faults = list[Fault]()
    known = [place for place in places if place.sequence is not None]
    by_sequence: dict[int, list[_Place]] = {}
    for place in known:
        by_sequence.setdefault(place.sequence or 0, []).append(place)
    forged = set[int]()
    for same in by_sequence.values():
        if len(same) > 1:  # the one that the next event does not refer to
            kept = next((place for place in same if place.row[HASH] in referred), same[0])
            forged |= {id(place) for place in same if place is not kept}
    missing = set(range(1, max(by_sequence, default=0) + 1)) - by_sequence.keys()
    before, project = 0, places[0].row[PROJECT] if places else 0
    for place in places:
        if place.sequence is None:
            if before + 1 in missing:  # an edited event, in the place that it had
                before += 1
                missing.discard(before)
            elif by_sequence and before < max(by_sequence):
                forged.add(id(place))
        elif id(place) not in forged:
            before = max(before, place.sequence)
    for place in places:
        if id(place) in forged:
            what = "it was put between two events that followed each other"
            faults.append(Fault(FaultKind.INSERTED, project, place.row[SEQUENCE], place.row[ID], what))
    genuine = [place for place in known if id(place) not in forged]
    for one, next_ in pairwise(genuine):
        if (next_.sequence or 0) < (one.sequence or 0):
            what = f"it was event {one.sequence}: events stand in another order than they were written in"
            faults.append(Fault(FaultKind.REORDERED, project, one.row[SEQUENCE], one.row[ID], what))
            break
    for first, last in _runs(sorted(missing)):
        what = f"event {first} is missing" if first == last else f"events {first} to {last} are missing"
        faults.append(Fault(FaultKind.DELETED, project, first, None, what))
    return faults


def _runs(numbers: Sequence[int]) -> Iterable[tuple[int, int]]:
    first = last = None
    for number in numbers:
        if first is None or last is None or number != last + 1:
            if first is not None and last is not None:
                yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last


def _edited(places: Sequence[_Place], hashes: dict[int, str | None]) -> Iterable[Fault]:
    for place in places:
        row = place.row
        if place.sequence is not None:
            continue
        kept = hashes.get(row[ID])
        if kept is not None and kept != payload_hash(row[PAYLOAD]):
            what = "its payload is not what was written"
            yield Fault(FaultKind.PAYLOAD_EDITED, row[PROJECT], row[SEQUENCE], row[ID], what)
        else:
            what = "its content is not what was written" + ("" if kept is None else "; its payload is")
            yield Fault(FaultKind.EDITED, row[PROJECT], row[SEQUENCE], row[ID], what)


def _rehashed(places: Sequence[_Place]) -> Iterable[Fault]:
    """An event whose hash is right for what it says, and not the one that its successor followed."""
    genuine = [place for place in places if place.sequence is not None]
    for one, next_ in pairwise(genuine):
        if next_.sequence == (one.sequence or 0) + 1 and next_.row[PREVIOUS] != one.row[HASH]:
            what = "it was changed and hashed anew: the event after it followed another hash"
            yield Fault(FaultKind.REHASHED, one.row[PROJECT], one.row[SEQUENCE], one.row[ID], what)
    if genuine and genuine[0].sequence == 1 and genuine[0].row[PREVIOUS] != GENESIS:
        row = genuine[0].row
        yield Fault(FaultKind.REHASHED, row[PROJECT], row[SEQUENCE], row[ID], "as the first event it follows from another one")


def _clock(places: Sequence[_Place]) -> Iterable[Fault]:
    newest = ""
    for place in places:
        row = place.row
        if place.sequence is None:
            continue
        moment = row[LATE] or row[TS]
        if moment < newest and is_back(newest, moment):
            what = f"it was written at {moment}, and the event before it at {newest}: the clock was turned back"
            yield Fault(FaultKind.CLOCK_BACK, row[PROJECT], row[SEQUENCE], row[ID], what)
        newest = moment
