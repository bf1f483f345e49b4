import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from brewslm.audit import emit_event, verify
from brewslm.audit.chain import GENESIS
from brewslm.reasons.ingestion import DatasetImportFailed
from brewslm.reasons.refusals import UnknownRow
from brewslm.store.database import reading, transaction


def reason(source: str = "jsonl:a") -> DatasetImportFailed:
    return DatasetImportFailed(source=source, mapper=None, problem="source_not_found", error="it is not there")


def emit(project: int, count: int = 3) -> None:
    for number in range(count):
        emit_event(reason(f"jsonl:{number}"), project_id=project, actor="test", run_id=f"import-{number}")


def faults(project: int | None = None) -> list[tuple[int, int, int | None]]:
    with reading() as session:
        return [(fault.project_id, fault.sequence, fault.event_id) for fault in verify(session, project)[1]]


def test_a_chain_of_each_project_is_whole():
    emit(1)
    emit(2, 2)
    with reading() as session:
        assert verify(session) == (5, []) and verify(session, 2) == (2, [])


@pytest.mark.parametrize(
    "statement", ["UPDATE run_events SET actor = 'x'", "DELETE FROM run_events", "DELETE FROM run_events WHERE id = 2"]
)
def test_the_database_refuses_to_change_an_event(statement):
    emit(1)
    with pytest.raises((IntegrityError, OperationalError), match="append-only"), transaction() as session:
        session.execute(text(statement))
    assert faults() == []


ROW = "1, '2026-01-01', 'system', 'info', 'x', 'me', '{}'"
INTO = "run_events ({} project_id, ts, stage, severity, reason_code, actor, payload, sequence, previous_hash, hash)"


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO {INTO.format('')} VALUES ({ROW}, 5, (SELECT hash FROM run_events WHERE sequence = 3), 'x')",
        f"INSERT INTO {INTO.format('')} VALUES ({ROW}, 4, (SELECT hash FROM run_events WHERE sequence = 2), 'x')",
        f"INSERT INTO {INTO.format('')} VALUES ({ROW.replace('1,', '2,', 1)}, 2, '{GENESIS}', 'x')",
        f"REPLACE INTO {INTO.format('id,')} VALUES (2, {ROW}, 4, (SELECT hash FROM run_events WHERE sequence = 3), 'x')",
        f"REPLACE INTO {INTO.format('')} VALUES ({ROW}, 2, (SELECT hash FROM run_events WHERE sequence = 1), 'x')",
    ],
    ids=["a sequence too far", "another hash before", "a chain without its beginning", "in another's row", "in another's place"],
)
def test_the_database_takes_what_follows_the_newest_event_alone(statement):
    emit(1)
    with pytest.raises((IntegrityError, OperationalError), match="append-only"), transaction() as session:
        session.execute(text(statement))
    assert faults() == []


def test_a_refusal_is_no_event():
    emit_event(UnknownRow(), project_id=1, actor="test")
    with reading() as session:
        assert verify(session) == (0, [])
