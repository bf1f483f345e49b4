"""An import that is killed at any byte, and repeated, leaves what one that was not killed leaves."""

import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import event

from brewslm.audit.chain import verify
from brewslm.audit.committer import COMMITTER
from brewslm.pipeline import execute
from brewslm.pipeline.execute import call
from brewslm.rows import contentkeys, rowfile
from brewslm.sources import jsonl
from brewslm.stages.ingest import IngestRequest
from brewslm.stages.mapping import CommitRequest
from brewslm.stages.projects import CreateRequest
from brewslm.store.database import engine, forget_connections, reading
from brewslm.store.tables import RunEvent

Ready = tuple[Path, CommitRequest]
KILLS = 50
ROWS = [{"text": f"film {n % 170}", "label": "good" if n % 3 else "bad"} if n % 11 else {"text": f"film {n}"} for n in range(300)]


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that three hundred rows are written in a hundred pieces."""
    monkeypatch.setattr(jsonl, "BLOCK_BYTES", 700)
    monkeypatch.setattr(rowfile, "_BUFFER_BYTES", 300)
    monkeypatch.setattr(contentkeys, "RUN_ROWS", 16)


@pytest.fixture
def ready(home: Path, tmp_path: Path, small_pieces: None) -> Ready:
    """A home with a project that has one import already and a source that is kept, and the commit of that source."""
    call("test", CreateRequest(name="a project"))
    requests = []
    for name, rows in (("first", ROWS[:20]), ("rows", ROWS)):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows) + b"{broken\n")
        call("test", IngestRequest(project=1, locator=f"jsonl:{path}"))
        field_map = {"text": "text", "label": "label"}
        requests.append(CommitRequest(project=1, locator=f"jsonl:{path}", mapper="label_to_classification", field_map=field_map))
    call("test", requests[0])
    forget_connections()
    template = tmp_path / "template"
    shutil.copytree(home, template)
    return template, requests[1]


def restored(template: Path, home: Path) -> None:
    COMMITTER.settle()  # its thread writes to the home still, after its last caller was answered
    forget_connections()
    shutil.rmtree(home)
    shutil.copytree(template, home)


def rows_of(home: Path) -> dict[str, bytes]:
    folder = home / "projects" / "1"
    names = (
        "synthetic/synthetic.jsonl",
        "synthetic/synthetic.jsonl.index",
        "synthetic/keys/import-2.keys",
        "rejected/import-2.jsonl",
    )
    return {name: (folder / name).read_bytes() for name in names}


def dies(work: Callable[[], Any], at: int) -> tuple[bool, int]:
    """Fork a child that works, and kills itself (kill -9) in the middle of its `at`-th step: half of a write, or around a commit.

    Returns:
        Whether it died so, and how many steps it took when it did not.
    """
    COMMITTER.settle()  # a lock that its thread held at the fork would be held in the child for ever
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        steps = 0

        def step(half: Callable[[], Any] = lambda: None) -> None:
            nonlocal steps
            steps += 1
            if steps == at:
                half()
                os.kill(os.getpid(), signal.SIGKILL)

        def torn_write(file: Any, data: bytes) -> None:
            step(lambda: file.write(data[: random.Random(at).randrange(len(data) + 1)]))
            while data:
                data = data[file.write(data) :]

        rowfile.write_all = contentkeys.write_all = torn_write
        event.listen(engine(), "commit", lambda _connection: step())
        work()
        step()
        os.write(writer, b"%d" % steps)
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    taken = os.read(reader, 20)
    os.close(reader)
    return os.WIFSIGNALED(status), int(taken or 0)


def test_an_import_that_is_killed_and_repeated_leaves_what_a_clean_one_leaves(
    home: Path, ready: tuple[Path, CommitRequest]
) -> None:
    template, request = ready
    died, steps = dies(lambda: call("test", request), 0)
    assert not died and steps > 100
    clean = rows_of(home)
    assert clean["synthetic/synthetic.jsonl"].count(b"\n") > 100 and clean["rejected/import-2.jsonl"].count(b"\n") > 50
    points = sorted({1, 2, steps - 1, steps, *random.Random(3).sample(range(3, steps - 1), KILLS - 4)})
    assert len(points) == KILLS
    for number, point in enumerate(points):
        restored(template, home)
        assert dies(lambda: call("test", request), point)[0]
        forget_connections()
        with reading() as session:
            run = session.get(execute.Run, "import-2")
            state = run.state if run else "never begun"
        if state == "running" and number % 2:
            execute.perform(execute.resume("test", "import-2"))
            assert rows_of(home) == clean, f"resumed after a kill at step {point} of {steps}"
        elif state == "succeeded":  # the kill came after the last commit
            assert rows_of(home) == clean
        else:
            again = call("test", request).task_id
            found = (home / "projects/1/synthetic/synthetic.jsonl").read_bytes()
            assert found.replace(f'"{again}"'.encode(), b'"import-2"') == clean["synthetic/synthetic.jsonl"], point
            assert (home / f"projects/1/rejected/{again}.jsonl").read_bytes() == clean["rejected/import-2.jsonl"]
        with reading() as session:
            assert [one.reason_code for one in session.query(RunEvent).filter_by(project_id=1)] == ["dataset_import_run"] * 2
            assert verify(session, 1) == (2, [])
