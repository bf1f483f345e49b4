import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from brewslm.audit import emit_event, gaps, verify
from brewslm.reasons.ingestion import DatasetImportFailed
from brewslm.reasons.refusals import UnknownRow
from brewslm.store.database import reading, transaction
from brewslm.store.tables import Project, RunEvent


def reason(source: str = "jsonl:a") -> DatasetImportFailed:
    return DatasetImportFailed(source=source, mapper=None, problem="source_not_found", error="it is not there")


def emit(project: int, count: int = 3) -> None:
    for number in range(count):
        emit_event(reason(f"jsonl:{number}"), project_id=project, actor="test", run_id=f"import-{number}")


def tamper(*statements: str) -> None:
    """Change the stream behind the triggers' back, as somebody with the file in hand can."""
    with transaction() as session:
        triggers = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'run_events'"))
        for name in triggers.scalars().all():
            session.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            session.execute(text(statement))


def faults(project: int | None = None) -> list[tuple[int, int, int | None]]:
    with reading() as session:
        return [(fault.project_id, fault.sequence, fault.event_id) for fault in verify(session, project)[1]]


def test_a_chain_of_each_project_is_whole():
    emit(1)
    emit(2, 2)
    with reading() as session:
        assert verify(session) == (5, []) and verify(session, 2) == (2, [])


@pytest.mark.parametrize(
    "change",
    [
        "payload = replace(payload, 'jsonl:1', 'jsonl:9')",
        "severity = 'info'",
        "actor = 'somebody else'",
        "run_id = NULL",
        "ts = '2020-01-01'",
    ],
)
def test_a_hand_edited_event_is_named(change):
    emit(1)
    tamper(f"UPDATE run_events SET {change} WHERE sequence = 2")
    assert faults() == [(1, 2, 2)]


def test_a_rewritten_hash_is_named_at_the_event_that_follows():
    from brewslm.audit.chain import link

    emit(1)
    tamper("UPDATE run_events SET actor = 'somebody else' WHERE sequence = 2")
    with reading() as session:
        forged = link(session.get(RunEvent, 2))
    tamper(f"UPDATE run_events SET hash = '{forged}' WHERE sequence = 2")
    assert faults() == [(1, 3, 3)]


def test_a_removed_event_is_named_by_its_sequence():
    emit(1)
    emit(2)
    tamper("DELETE FROM run_events WHERE project_id = 1 AND sequence = 1")
    assert faults() == [(1, 1, None)] and faults(2) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE run_events SET actor = 'x'", "DELETE FROM run_events", "DELETE FROM run_events WHERE id = 2"]
)
def test_the_database_refuses_to_change_an_event(statement):
    emit(1)
    with pytest.raises((IntegrityError, OperationalError), match="append-only"), transaction() as session:
        session.execute(text(statement))
    assert faults() == []


def test_a_refusal_is_no_event():
    emit_event(UnknownRow(), project_id=1, actor="test")
    with reading() as session:
        assert verify(session) == (0, [])


BREAKS = {
    "its table is gone": "ALTER TABLE run_events RENAME TO gone",
    "an insert fails": "CREATE TRIGGER full BEFORE INSERT ON run_events BEGIN SELECT RAISE(ABORT, 'full'); END",
}


def break_the_stream(how: str) -> None:
    with transaction() as session:
        session.execute(text(BREAKS[how]))


@pytest.mark.parametrize("how", BREAKS)
def test_an_event_that_cannot_be_written_breaks_no_data_write_and_is_counted(how):
    break_the_stream(how)
    with transaction() as session:
        session.add(Project(name="the data"))
        emit_event(reason(), project_id=1, actor="test", session=session)
        session.add(Project(name="more data"))
    emit_event(reason(), project_id=2, actor="test")
    with reading() as session:
        assert [project.name for project in session.query(Project)] == ["the data", "more data"]
        assert (gaps(session), gaps(session, 1), gaps(session, 2)) == (2, 1, 1)


@pytest.mark.parametrize("how", BREAKS)
def test_emit_never_raises_even_when_the_gap_cannot_be_counted(how):
    break_the_stream(how)
    with transaction() as session:
        session.execute(text("DROP TABLE emit_gaps"))
    with transaction() as session:
        session.add(Project(name="the data"))
        emit_event(reason(), project_id=1, actor="test", session=session)
    emit_event(reason(), project_id=1, actor="test")
    with reading() as session:
        assert session.query(Project).one().name == "the data"


def test_an_event_in_a_transaction_that_rolls_back_leaves_no_trace():
    emit(1, 1)
    with pytest.raises(RuntimeError), transaction() as session:
        emit_event(reason(), project_id=1, actor="test", session=session)
        raise RuntimeError
    emit(1, 1)
    with reading() as session:
        assert verify(session) == (2, [])
