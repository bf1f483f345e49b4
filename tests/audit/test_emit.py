"""An event that can't be written breaks no data write, holds nobody for long, is shown as a gap, and comes back."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from brewslm.audit import bring_back, committer, emit_event, gaps, lost, verify
from brewslm.audit.committer import COMMITTER
from brewslm.reasons import REGISTRY, Reason, Severity, Stage
from brewslm.reasons.ingestion import DatasetImportFailed
from brewslm.store.database import engine, reading, transaction
from brewslm.store.tables import Project, RunEvent
from tests.running import until

SLACK_SECONDS = 5.0
"""For the machine, beyond a bound: less than the longest bound itself."""
FOR_EVER = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n) > 0"
REFUSES = "CREATE TRIGGER broken BEFORE INSERT ON run_events BEGIN SELECT RAISE(ABORT, 'no'); END"
BREAKS = {
    "its table is gone": ("ALTER TABLE run_events RENAME TO gone", "ALTER TABLE gone RENAME TO run_events"),
    "an insert is refused": (REFUSES, "DROP TRIGGER broken"),
}
HANGS = f"CREATE TRIGGER broken BEFORE INSERT ON run_events WHEN {FOR_EVER} BEGIN SELECT 1; END"
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""
TURN_TAKER = """
import sys
from pathlib import Path
from brewslm.store.locks import lock
with lock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.readline()
"""
EMITTER = """
import sys
from brewslm.audit import emit_event
from brewslm.reasons.ingestion import DatasetImportFailed
for number in range(40):
    reason = DatasetImportFailed(source=f"jsonl:{number}", mapper=None, problem="x", error="y")
    emit_event(reason, project_id=1, actor=sys.argv[1])
"""


def reason(source: str = "jsonl:a") -> DatasetImportFailed:
    return DatasetImportFailed(source=source, mapper=None, problem="source_not_found", error="it is not there")


def emit(source: str, project: int = 1, session=None) -> float:
    """Returns the seconds that it held its caller."""
    began = time.monotonic()
    emit_event(reason(source), project_id=project, actor="test", run_id="import-9", session=session)
    return time.monotonic() - began


def sql(*statements: str) -> None:
    with transaction() as session:
        for statement in statements:
            session.execute(text(statement))


def told() -> list[tuple[str, str, bool]]:
    """Code, source and whether it came late, in the order of the chain."""
    with reading() as session:
        found = session.query(RunEvent).order_by(RunEvent.project_id, RunEvent.sequence).all()
    return [(one.reason_code, orjson.loads(one.payload).get("source", ""), one.written_at is not None) for one in found]


def missing(project: int | None = None) -> int:
    with reading() as session:
        return gaps(session, project)


def all_back() -> None:
    """The writer of events brings back too, so that this may find it at work."""

    def is_back() -> bool:
        lost._not_before = 0.0
        bring_back()
        return not lost.is_waiting()

    until(is_back, "the lost events")


def whole() -> None:
    with reading() as session:
        assert verify(session)[1] == []


@pytest.fixture(autouse=True)
def nothing_is_left(home):
    """The database is there: its first opening makes it. What a test lost must not meet the next one's home."""
    engine()
    yield
    lost._memory.clear()
    lost._not_before = 0.0


@pytest.fixture
def impatient(monkeypatch):
    """The bounds, shorter, for tests that meet them: no other is to lose an event because a busy machine was late."""
    monkeypatch.setattr(committer, "EMIT_SECONDS", 6.0)
    monkeypatch.setattr(committer, "LOCK_SECONDS", 0.5)
    monkeypatch.setattr(committer, "WRITE_SECONDS", 1.0)
    monkeypatch.setattr(lost, "LOCK_SECONDS", 0.5)
    monkeypatch.setattr(lost, "WRITE_SECONDS", 1.0)


@contextmanager
def another_process(code: str, argument: str):
    child = subprocess.Popen([sys.executable, "-c", code, argument], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdin is not None and child.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        child.communicate(b"\n")


@pytest.mark.parametrize("how", BREAKS)
def test_an_event_that_cannot_be_written_breaks_no_data_write_and_comes_back_late(how):
    broken, mended = BREAKS[how]
    emit("jsonl:before")
    sql(broken)
    with transaction() as session:
        session.add(Project(name="the data"))
        emit("jsonl:joined", 1, session)
        session.add(Project(name="more data"))
    emit("jsonl:alone", 2)
    assert COMMITTER.settle()  # it may be trying to bring them back, and rename their file as they are counted
    with reading() as session:
        assert [project.name for project in session.query(Project)] == ["the data", "more data"]
    assert (missing(), missing(1), missing(2)) == (2, 1, 1)
    assert bring_back() == 0 and missing() == 2
    sql(mended)
    all_back()
    assert told() == [
        ("dataset_import_failed", "jsonl:before", False),
        ("event_lost", "", False),
        ("dataset_import_failed", "jsonl:joined", True),
        ("event_lost", "", False),
        ("dataset_import_failed", "jsonl:alone", True),
    ]
    assert missing() == 0
    whole()


def test_what_came_back_keeps_its_time_and_is_told_of():
    sql(REFUSES)
    emit("jsonl:a")
    (waiting,) = lost.waiting()
    sql("DROP TRIGGER broken")
    emit("jsonl:b")
    all_back()
    with reading() as session:
        by_code = {(one.reason_code, one.written_at is not None): one for one in session.query(RunEvent)}
    late, gap = by_code["dataset_import_failed", True], by_code["event_lost", False]
    assert late.ts == waiting.draft.ts < late.written_at and late.run_id == "import-9"
    payload = Reason.read(gap.reason_code, orjson.loads(gap.payload))
    assert payload.events == {"dataset_import_failed": 1} and payload.first_at == late.ts
    assert payload.errors == {"IntegrityError": 1} and gap.severity == "critical"
    whole()


def test_the_next_operation_brings_back_what_waits(project):
    from brewslm.pipeline.execute import call
    from brewslm.stages.projects import CreateRequest

    sql(REFUSES)
    emit("jsonl:a")
    assert COMMITTER.settle()
    sql("DROP TRIGGER broken")
    lost._not_before = 0.0  # the writer may have tried while it was refused, and pauses after that
    call("test", CreateRequest(name="another"))
    assert COMMITTER.settle()  # it may have been at it just then
    assert ("dataset_import_failed", "jsonl:a", True) in told() and missing() == 0


@pytest.mark.usefixtures("impatient")
def test_an_emitter_that_hangs_is_broken_off_and_its_caller_let_go():
    sql(HANGS)
    assert emit("jsonl:a") < committer.EMIT_SECONDS + SLACK_SECONDS
    with transaction() as session:
        session.add(Project(name="the data"))
    assert missing() == 1
    sql("DROP TRIGGER broken")
    all_back()
    assert told()[-1] == ("dataset_import_failed", "jsonl:a", True)


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_waits_for_ever_holds_one_caller_in_bounds_and_the_next_not_at_all(home):
    emit("jsonl:before")
    with another_process(TURN_TAKER, str(home / "locks" / "events")):
        assert committer.EMIT_SECONDS - 0.1 < emit("jsonl:a") < committer.EMIT_SECONDS + SLACK_SECONDS
        # The writer took the event a moment after its caller began to wait, and has hung for as long only that much later.
        until(lambda: (since := COMMITTER._busy_since) and time.monotonic() - since > committer.EMIT_SECONDS, "its bound")
        assert emit("jsonl:b") < SLACK_SECONDS
        assert missing() == 2
    emit("jsonl:after")
    all_back()
    assert sorted(source for code, source, _ in told() if code != "event_lost") == [
        "jsonl:a", "jsonl:after", "jsonl:b", "jsonl:before"
    ]  # fmt: skip
    whole()


@pytest.mark.usefixtures("impatient")
def test_a_database_that_another_process_has_locked_holds_the_caller_in_bounds(home):
    with transaction() as session:
        session.add(Project(name="the data"))
    with another_process(LOCKER, str(home / "brewslm.sqlite")):
        assert emit("jsonl:a") < committer.LOCK_SECONDS + SLACK_SECONDS
        assert missing() == 1
    emit("jsonl:b")
    all_back()
    assert {source for _, source, _ in told()} == {"", "jsonl:a", "jsonl:b"}
    whole()


def test_a_full_database_takes_the_data_and_not_the_event():
    with transaction() as session:
        session.add(Project(name="x"))
    with transaction() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
        session.execute(text("UPDATE projects SET name = 'the data'"))
        emit("jsonl:" + "a" * 100_000, 1, session)
        session.execute(text("UPDATE projects SET base_model = 'path:data'"))
    with reading() as session:
        assert [(one.name, one.base_model) for one in session.query(Project)] == [("the data", "path:data")]
        session.execute(text("PRAGMA max_page_count = 1000000"))
    assert missing() == 1
    all_back()
    assert told()[-1][2] and missing() == 0


def test_a_full_disk_has_room_for_what_could_not_be_written_and_gives_it_back():
    command = [sys.executable, "-m", "tests.audit.full_disk_emit", "12m"]
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", *command], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found = orjson.loads(done.stdout)
    assert found["waiting_when_full"] == found["on_disk"] == found["late"] >= 3
    assert found["longest"] < 12.0  # the stated bound, and the sync of a line
    assert (found["waiting_after"], found["missing_sources"], found["faults"]) == (0, [], 0)


def test_what_cannot_even_be_spilled_is_kept_by_the_process(home):
    emit("jsonl:before")
    assert COMMITTER.settle()
    for path in (home / "audit").iterdir():
        path.unlink()
    (home / "audit").rmdir()
    (home / "audit").write_text("no folder")
    sql(REFUSES)
    emit("jsonl:a")
    assert missing() == 1
    (home / "audit").unlink()
    sql("DROP TRIGGER broken")
    all_back()
    assert told()[-1] == ("dataset_import_failed", "jsonl:a", True)


def test_a_torn_line_is_counted_as_lost_for_good_and_takes_no_other_with_it(home):
    sql(REFUSES)
    emit("jsonl:a")
    with (home / "audit" / "lost.jsonl").open("ab") as file:
        file.write(b'{"project_id": 1, "sta')
    emit("jsonl:b")
    sql("DROP TRIGGER broken")
    all_back()
    assert {source for _, source, late in told() if late} == {"jsonl:a", "jsonl:b"}
    assert missing() == 1


def test_a_return_that_was_killed_before_its_file_was_removed_writes_nothing_twice(home):
    sql(REFUSES)
    emit("jsonl:a")
    kept = (home / "audit" / "lost.jsonl").read_bytes()
    sql("DROP TRIGGER broken")
    all_back()
    once = told()
    (home / "audit" / "lost-coming-back.jsonl").write_bytes(kept)
    all_back()
    assert told() == once and missing() == 0


def test_an_event_in_a_transaction_that_rolls_back_leaves_no_trace():
    emit("jsonl:a")
    for broken in ((), (REFUSES,)):
        sql(*broken)
        with pytest.raises(RuntimeError), transaction() as session:
            emit("jsonl:b", 1, session)
            raise RuntimeError
    assert len(told()) == 1 and missing() == 0


def test_data_that_the_database_took_back_with_the_event_is_not_committed_by_halves():
    """Where SQLite ends the whole transaction by itself, the caller's commit fails: nothing may be written after it."""
    sql("CREATE TRIGGER broken AFTER INSERT ON run_events BEGIN SELECT RAISE(ROLLBACK, 'the disk is gone'); END")
    with pytest.raises(SQLAlchemyError), transaction() as session:
        session.add(Project(name="before"))
        session.flush()
        emit("jsonl:a", 1, session)
        session.add(Project(name="after"))
    with reading() as session:
        assert session.query(Project).count() == 0
    assert missing() == 0


class Untellable(Reason, stage=Stage.SYSTEM, severity=Severity.INFO):
    """A reason of a plugin with a fault in it."""

    def payload(self):
        raise ZeroDivisionError


class OddlyNamed(Reason, stage=Stage.SYSTEM, severity=Severity.INFO):
    """A reason that names a file that is no UTF-8."""

    source: str


for made in (Untellable, OddlyNamed):  # other tests hold the registry against the docs
    del REGISTRY[made.code]


def test_a_reason_that_cannot_be_told_is_counted():
    with transaction() as session:
        session.add(Project(name="the data"))
        emit_event(Untellable(), project_id=1, actor="test", session=session)
    emit_event(Untellable(), project_id=1, actor="test")
    with reading() as session:
        assert session.query(Project).one().name == "the data" and gaps(session, 1) == 2


def test_a_name_that_is_no_utf8_is_told_as_far_as_it_can_be():
    emit_event(OddlyNamed(source="caf\udce9.csv"), project_id=1, actor="test")
    assert told() == [("oddly_named", "caf?.csv", False)]


def test_eight_writers_leave_no_gap():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(emit, (f"jsonl:{number}" for number in range(160)), [1, 2] * 80))
    assert sorted(source for _, source, _ in told()) == sorted(f"jsonl:{number}" for number in range(160))
    assert missing() == 0
    whole()


def test_processes_write_into_one_chain():
    emit("jsonl:first")
    three = [subprocess.Popen([sys.executable, "-c", EMITTER, f"process {number}"]) for number in range(3)]
    assert [process.wait() for process in three] == [0, 0, 0]
    assert len(told()) == 121 and missing() == 0
    whole()
