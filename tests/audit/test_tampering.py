"""What somebody with the database file in hand can do to the stream, done to a real file, and what verify calls it."""

import shutil
import sqlite3
from collections.abc import Callable

import orjson
import pytest

from brewslm.audit import FaultKind, Head, emit_event, head, verify
from brewslm.audit.chain import GENESIS, hash_of
from brewslm.audit.rows import COLUMNS, HASHED
from brewslm.reasons import Reason
from brewslm.reasons.ingestion import DatasetImportFailed
from brewslm.store.database import forget_connections, reading, transaction
from brewslm.store.tables import Project, Run, RunEvent

EVENTS = 6
Found = list[tuple[FaultKind, int, int, int | None]]


def emit(project: int, count: int = EVENTS) -> None:
    """In one transaction, whose heads are noted with its commit."""
    with transaction() as session:
        for number in range(1, count + 1):
            reason = DatasetImportFailed(source=f"jsonl:{number}", mapper=None, problem="source_not_found", error="x")
            emit_event(reason, project_id=project, actor="test", run_id=f"import-{project}{number}", session=session)


def faults(project: int | None = None, kept: tuple[Head, ...] = ()) -> Found:
    with reading() as session:
        found = verify(session, project, kept)[1]
    return [(fault.kind, fault.project_id, fault.sequence, fault.event_id) for fault in found]


def exported(project: int = 1) -> Head:
    with reading() as session:
        return head(session, project)


class Intruder:
    """Somebody with the file: without the triggers, and with the product's own hash."""

    def __init__(self, home) -> None:
        forget_connections()
        self.file = sqlite3.connect(home / "brewslm.sqlite", isolation_level=None)
        for (name,) in self.file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self.file.execute(f"DROP TRIGGER {name}")

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.file.execute(statement)

    def event(self, sequence: int, project: int = 1) -> int:
        """Its id."""
        query = "SELECT id FROM run_events WHERE project_id = ? AND sequence = ?"
        return self.file.execute(query, (project, sequence)).fetchone()[0]

    def shift(self, first: int, by: int) -> None:
        """Renumber the tail, on the way through negative numbers, for a number is taken once."""
        self.run(
            f"UPDATE run_events SET sequence = -(sequence + {by}) WHERE project_id = 1 AND sequence >= {first}",
            "UPDATE run_events SET sequence = -sequence WHERE sequence < 0",
        )

    def hash_anew(self, first: int, last: int = 10**9, project: int = 1) -> None:
        query = "SELECT hash FROM run_events WHERE project_id = ? AND sequence = ?"
        before = self.file.execute(query, (project, first - 1)).fetchone()
        previous = before[0] if before else GENESIS
        where = "project_id = ? AND sequence BETWEEN ? AND ? ORDER BY sequence"
        query = f"SELECT id, written_at, {', '.join(HASHED)} FROM run_events WHERE {where}"
        for event, late, *fields in self.file.execute(query, (project, first, last)).fetchall():
            made = hash_of((previous, *fields, *((late,) if late else ())))
            self.file.execute("UPDATE run_events SET previous_hash = ?, hash = ? WHERE id = ?", (previous, made, event))
            previous = made

    def copy(self, project: int, to: int) -> None:
        kept = [name for name in COLUMNS if name not in ("id", "project_id")]
        self.run(
            f"INSERT INTO run_events (project_id, {', '.join(kept)}) SELECT {to}, {', '.join(kept)} FROM run_events "
            f"WHERE project_id = {project} ORDER BY sequence"
        )


@pytest.fixture
def intruder(home) -> Intruder:
    emit(1)
    emit(2, 3)
    assert faults() == []
    return Intruder(home)


def edit(by: Intruder) -> Found:
    by.run("UPDATE run_events SET severity = 'info' WHERE project_id = 1 AND sequence = 3")
    return [(FaultKind.EDITED, 1, 3, by.event(3))]


def payload_only(by: Intruder) -> Found:
    by.run("UPDATE run_events SET payload = replace(payload, 'jsonl:3', 'jsonl:9') WHERE project_id = 1 AND sequence = 3")
    return [(FaultKind.PAYLOAD_EDITED, 1, 3, by.event(3))]


def edit_the_last(by: Intruder) -> Found:
    by.run("UPDATE run_events SET actor = 'x' WHERE project_id = 1 AND sequence = 6")
    return [(FaultKind.EDITED, 1, 6, by.event(6))]


def delete(by: Intruder) -> Found:
    by.run("DELETE FROM run_events WHERE project_id = 1 AND sequence IN (3, 4)")
    return [(FaultKind.DELETED, 1, 3, None)]


def delete_the_first(by: Intruder) -> Found:
    by.run("DELETE FROM run_events WHERE project_id = 1 AND sequence = 1")
    return [(FaultKind.DELETED, 1, 1, None)]


def delete_and_renumber(by: Intruder) -> Found:
    by.run("DELETE FROM run_events WHERE project_id = 1 AND sequence = 3")
    by.shift(4, -1)
    return [(FaultKind.DELETED, 1, 3, None)]


def insert(by: Intruder) -> Found:
    """Hashed as if it followed."""
    by.shift(3, 1)
    names = ", ".join(name for name in COLUMNS if name != "id")
    values = names.replace("project_id, sequence", "1, 3").replace("actor", "'somebody'")
    by.run(f"INSERT INTO run_events ({names}) SELECT {values} FROM run_events WHERE project_id = 1 AND sequence = 2")
    by.hash_anew(3, 3)
    return [(FaultKind.INSERTED, 1, 3, by.event(3))]


def insert_without_its_hash(by: Intruder) -> Found:
    by.shift(3, 1)
    names = ", ".join(name for name in COLUMNS if name != "id")
    values = names.replace("project_id, sequence", "1, 3").replace("actor", "'somebody'")
    by.run(f"INSERT INTO run_events ({names}) SELECT {values} FROM run_events WHERE project_id = 1 AND sequence = 2")
    return [(FaultKind.INSERTED, 1, 3, by.event(3))]


def reorder(by: Intruder) -> Found:
    by.run(
        "UPDATE run_events SET sequence = -sequence WHERE project_id = 1 AND sequence IN (3, 4)",
        "UPDATE run_events SET sequence = 7 + sequence WHERE sequence < 0",
    )
    return [(FaultKind.REORDERED, 1, 3, by.event(3))]


def one_hashed_anew(by: Intruder) -> Found:
    by.run("UPDATE run_events SET actor = 'somebody' WHERE project_id = 1 AND sequence = 3")
    by.hash_anew(3, 3)
    return [(FaultKind.REHASHED, 1, 3, by.event(3))]


def truncate(by: Intruder) -> Found:
    by.run("DELETE FROM run_events WHERE project_id = 1 AND sequence > 4")
    return [(FaultKind.TRUNCATED, 1, 5, None)]


def remove_a_whole_chain(by: Intruder) -> Found:
    by.run("DELETE FROM run_events WHERE project_id = 2")
    return [(FaultKind.TRUNCATED, 2, 1, None)]


def copy_a_project(by: Intruder) -> Found:
    by.copy(1, 5)
    return [(FaultKind.COPIED, 5, 1, by.event(1, 5))]


def move_a_project(by: Intruder) -> Found:
    by.run("UPDATE run_events SET project_id = 5 WHERE project_id = 2")
    return [(FaultKind.TRUNCATED, 2, 1, None), (FaultKind.COPIED, 5, 1, by.event(1, 5))]


def turn_the_clock_back(by: Intruder) -> Found:
    by.run("UPDATE run_events SET ts = '2020-01-01T00:00:00.000+00:00' WHERE project_id = 1 AND sequence >= 4")
    by.hash_anew(4)
    return [(FaultKind.CLOCK_BACK, 1, 4, by.event(4))]


def rewrite_the_tail(by: Intruder) -> Found:
    by.run("UPDATE run_events SET actor = 'somebody' WHERE project_id = 1 AND sequence >= 3")
    by.hash_anew(3)
    return [(FaultKind.REWRITTEN, 1, 6, by.event(6))]


KINDS: list[Callable[[Intruder], Found]] = [
    edit, payload_only, edit_the_last, delete, delete_the_first, delete_and_renumber, insert, insert_without_its_hash, reorder,
    one_hashed_anew, truncate, remove_a_whole_chain, copy_a_project, move_a_project, turn_the_clock_back, rewrite_the_tail,
]  # fmt: skip


@pytest.mark.parametrize("tamper", KINDS)
def test_what_was_done_to_the_stream_is_found_and_named(intruder, tamper):
    expected = tamper(intruder)
    assert faults() == expected


@pytest.mark.parametrize("tamper", [truncate, rewrite_the_tail])
def test_somebody_who_removes_the_homes_notes_too_is_found_by_an_exported_head_alone(home, intruder, tamper):
    kept = exported()
    expected = tamper(intruder)
    (home / "audit" / "heads.jsonl").unlink()
    assert faults() == []
    assert faults(1, (kept,)) == expected


def test_a_chain_that_went_on_meets_its_exported_head(intruder):
    kept = exported()
    emit(1)
    assert faults(1, (kept,)) == [] and exported().sequence == 2 * EVENTS


def test_notes_are_for_ever_so_that_a_cut_tail_can_not_grow_back(home, intruder):
    truncate(intruder)
    intruder.file.close()
    emit(1)
    assert [fault[:3] for fault in faults()] == [(FaultKind.REWRITTEN, 1, EVENTS)]


def test_a_database_of_another_home_in_the_place_of_this_one_is_found(home, intruder, monkeypatch, tmp_path):
    kept = exported()
    forget_connections()
    monkeypatch.setenv("BREWSLM_HOME", str(tmp_path / "other"))
    emit(1)
    forget_connections()
    intruder.file.close()
    for part in home.glob("brewslm.sqlite*"):
        part.unlink()
    with sqlite3.connect(tmp_path / "other" / "brewslm.sqlite") as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "other" / "brewslm.sqlite", home / "brewslm.sqlite")
    monkeypatch.setenv("BREWSLM_HOME", str(home))
    forget_connections()
    assert faults() == [(FaultKind.SWAPPED_DATABASE, 0, 0, None)]
    emit(1)  # and work that goes on there does not hide it
    assert (FaultKind.SWAPPED_DATABASE, 0, 0, None) in faults()
    (home / "audit" / "heads.jsonl").unlink()
    assert faults() == [] and faults(1, (kept,)) == [(FaultKind.SWAPPED_DATABASE, 1, EVENTS, None)]


def test_a_copied_project_that_was_hashed_anew_still_tells_of_the_other_ones_runs(intruder):
    intruder.copy(1, 5)
    intruder.hash_anew(1, project=5)
    assert faults(5) == []
    with transaction() as session:
        session.add(Project(id=1, name="one"))
        session.flush()
        for number in (11, 12):
            session.add(
                Run(
                    id=f"import-{number}", kind="import", number=number, operation="map.commit", project_id=1, actor="test",
                    request={},
                )
            )  # fmt: skip
    assert faults(5) == [(FaultKind.COPIED, 5, 1, intruder.event(1, 5))]
    assert faults(1) == []


def test_a_worker_that_starts_tells_of_a_broken_chain_once(home, intruder):
    from brewslm.pipeline.worker import tell_broken_chains

    tell_broken_chains()
    truncate(intruder)
    event = intruder.event(4)
    for _ in range(2):
        tell_broken_chains()
    with reading() as session:
        told = session.query(RunEvent).where(RunEvent.reason_code == "chain_broken").all()
    assert [(one.severity, one.project_id) for one in told] == [("critical", 1)] and told[0].id > event
    assert Reason.read("chain_broken", orjson.loads(told[0].payload)).kind == "truncated"
