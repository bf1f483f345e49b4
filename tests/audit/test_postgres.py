"""The spine on a real Postgres: its own server, in its own folder, on loopback. Where none is installed, nothing is asked."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from brewslm.audit import FaultKind, emit_event, gaps, verify
from brewslm.audit.filters import EventFilter
from brewslm.observe.clusters import clusters
from brewslm.observe.events import events
from brewslm.observe.explorer import calls
from brewslm.observe.journal import journal
from brewslm.observe.timeline import timeline
from brewslm.pipeline.execute import call
from brewslm.reasons.academy import LessonRead
from brewslm.reasons.training import TrainingOom, TrainingResumed
from brewslm.settings import settings
from brewslm.stages.projects import CreateRequest
from brewslm.store.database import forget_connections, reading, transaction

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(BINARIES is None, reason="no Postgres is installed")]
INSERT = """INSERT INTO run_events (project_id, sequence, ts, stage, severity, reason_code, actor, payload, previous_hash, hash)
SELECT project_id, 500, ts, stage, severity, reason_code, actor, payload, previous_hash, hash FROM run_events LIMIT 1"""


EMITTER = """
import sys
from brewslm.audit import emit_event
from brewslm.reasons.training import TrainingResumed
from brewslm.store.database import engine
engine()
print("ready", flush=True)
sys.stdin.readline()
for step in range(60):
    told = TrainingResumed(experiment_id=sys.argv[1], attempt=1, from_step=step)
    emit_event(told, project_id=1 + step % 2, actor=sys.argv[1], run_id=sys.argv[1])
"""


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that runs as somebody who is not root, for it refuses root; this home asks it."""
    assert BINARIES is not None
    user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    folder = tempfile.mkdtemp(prefix="brewslm-pg-")
    os.chown(folder, user.pw_uid, user.pw_gid)
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    how = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **who}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    made = [BINARIES / "initdb", "-D", "data", "-A", "trust", "-U", "brewslm", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(made, check=True, **how)
    server = subprocess.Popen([BINARIES / "postgres", "-D", "data", "-p", port, "-h", "127.0.0.1", "-k", folder, "-F"], **how)
    try:
        until = time.monotonic() + 30
        while subprocess.run([BINARIES / "pg_isready", "-h", "127.0.0.1", "-p", port], stdout=subprocess.DEVNULL).returncode:
            assert server.poll() is None and time.monotonic() < until
        monkeypatch.setenv("BREWSLM_DATABASE_URL", f"postgresql+psycopg://brewslm@127.0.0.1:{port}/postgres")
        forget_connections()
        assert settings().database_url
        yield
    finally:
        forget_connections()
        server.send_signal(signal.SIGINT)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def test_the_spine_holds_on_a_real_postgres(postgres):
    """From nothing: migrations, emits of four threads, refusals of the triggers, every view, and a named edit of a payload."""
    project = call("cli:ana", CreateRequest(name="one")).project
    with reading() as session:
        before, _ = verify(session)

    def emit(writer: int) -> None:
        for step in range(20):
            told = TrainingResumed(experiment_id=f"exp-{writer}", attempt=1, from_step=step)
            emit_event(told, project_id=project, actor="cli:ana", run_id=f"exp-{writer}")

    writers = [threading.Thread(target=emit, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    emit_event(
        TrainingOom(signature="aa", experiment_id="exp-1", error="RuntimeError"), project_id=project, actor="x", run_id="exp-1"
    )
    emit_event(LessonRead(lesson="tokens", part="data"), project_id=project, actor="cli:ana")
    with reading() as session:
        assert verify(session) == (before + 82, []) and gaps(session) == 0
    for refused in ("UPDATE run_events SET actor = 'x'", "DELETE FROM run_events", "TRUNCATE run_events", INSERT):
        with pytest.raises(ProgrammingError, match="append-only"), transaction() as session:
            session.execute(text(refused))
    assert len(events(wanted=EventFilter(project=project, text="exp-2"), limit=50)) == 20
    (found,) = events(wanted=EventFilter(project=project, text='"exp 1" runtime*', severity="error"))
    assert found.reason_code == "training_oom"
    now = datetime.now(UTC)
    span = EventFilter(project=project, since=now - timedelta(hours=1), until=now + timedelta(hours=1), code="training_oom")
    assert len(events(wanted=span)) == 1
    assert [one.reason_code for one in clusters(project)] == ["training_oom"]
    assert {tree.run for tree in timeline(project).trees} >= {"exp-0", "exp-1", "exp-2", "exp-3"}
    assert journal(project).earned == {"lessons_read": 5}
    assert [one.operation for one in calls()] == ["project.create"]
    with transaction() as session:
        session.execute(text("ALTER TABLE run_events DISABLE TRIGGER ALL"))
        session.execute(
            text("UPDATE run_events SET payload = '{}' WHERE sequence = 5 AND project_id = :project"), {"project": project}
        )
    with reading() as session:
        (fault,) = verify(session)[1]
    assert (fault.kind, fault.sequence) == (FaultKind.PAYLOAD_EDITED, 5)


def test_processes_write_into_the_same_chains_of_a_postgres(postgres):
    """Two of them at once, to two projects: each chain is held by one of them at a time, and has no gap."""
    two = [
        subprocess.Popen([sys.executable, "-c", EMITTER, f"exp-{number}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for number in range(2)
    ]
    for process in two:  # both are there before either begins
        assert process.stdout.readline() == b"ready\n"
    for process in two:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in two:
        process.communicate()
    assert [process.returncode for process in two] == [0, 0]
    with reading() as session:
        assert verify(session) == (120, []) and gaps(session) == 0
        order = session.scalars(text("SELECT actor FROM run_events WHERE project_id = 1 ORDER BY sequence")).all()
    assert order.count("exp-0") == order.count("exp-1") == 30
    assert sum(before != after for before, after in pairwise(order)) > 1, "they did not write at the same time"
