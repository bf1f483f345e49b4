"""Cleaning that is killed at any point, and repeated, leaves what one that was not killed leaves, byte for byte."""

import os
import random
import shutil
import signal

import orjson
import pytest
from typer.testing import CliRunner

from brewslm.audit.committer import COMMITTER
from brewslm.cli.main import app
from brewslm.filters import duplicates
from brewslm.observe.documents import documents
from brewslm.pipeline import execute
from brewslm.pipeline.execute import look
from brewslm.processes.context import DirectContext
from brewslm.stages.clean import run, workplace
from brewslm.store.database import forget_connections, reading
from brewslm.store.files import project_folder, run_folder
from brewslm.store.tables import RunEvent
from tests.running import PATIENCE_SECONDS, gone, hold, ours, until
from tests.stages.clean.cleaning import added, cleaned, files, job_of, letter

KILLS = 24


@pytest.fixture
def texts() -> dict[str, str | bytes]:
    """Twenty documents of every fate."""
    made: dict[str, str | bytes] = {f"{n:02}.md": f"# Letter {n}\n\n{letter(n)}" for n in range(10)}
    made |= {f"{10 + n}.txt": letter(n).upper() for n in range(2)}  # duplicates but for their heading
    made |= {f"{12 + n}.txt": letter(n + 50) + f" Write to ana{n}@example.org.\r\n" for n in range(4)}
    made |= {"16.txt": letter(50) + " Write to ana0@example.org. Farewell.", "17.txt": "@@## ~~ |||", "18.pdf": b"%PDF-1.7"}
    return made | {"19.txt": letter(99)}


def dies(work, at):
    """Fork a child that works and kills itself in its `at`-th step, half of a write or around a commit; None when it did not."""
    COMMITTER.settle()  # a lock that its thread held at the fork would be held in the child for ever
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        steps = 0

        def step(half=lambda: None):
            nonlocal steps
            steps += 1
            if steps == at:
                half()
                os.kill(os.getpid(), signal.SIGKILL)

        def torn_write(file, data):
            step(lambda: file.write(data[: random.Random(at).randrange(len(data) + 1)]))
            file.write(data)

        commit = duplicates._Remembered.commit

        def torn_commit(remembered):
            step()
            commit(remembered)
            step()

        workplace.write_all, duplicates._Remembered.commit = torn_write, torn_commit
        work()
        step()
        os.write(writer, b"%d" % steps)
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    taken = os.read(reader, 20)
    os.close(reader)
    return None if os.WIFSIGNALED(status) else int(taken)


def test_a_cleaning_that_is_killed_and_repeated_leaves_what_an_undisturbed_one_leaves(project, tmp_path, texts):
    added(project, tmp_path / "inbox", texts)
    job = job_of(project, pii="pseudonymise")
    result, clean = cleaned(job, tmp_path / "clean")
    assert result.ledger.rows_in == 20 and {"duplicate_document", "near_duplicate_document"} & set(result.ledger.rejected)
    assert result.ledger.rows_out > 10 and clean["cleaning/reports.jsonl"].count(b"\n") == 20
    folder = tmp_path / "killed"
    folder.mkdir()
    steps = dies(lambda: run(job, DirectContext(folder)), 0)
    assert steps is not None and steps > 60
    assert files(folder) == clean
    for point in sorted({1, 2, steps - 1, steps, *random.Random(5).sample(range(3, steps - 1), KILLS - 4)}):
        shutil.rmtree(folder)
        folder.mkdir()
        assert dies(lambda at=point: run(job, DirectContext(folder)), point) is None
        if point % 3 == 0:  # and killed once more on its way
            dies(lambda: run(job, DirectContext(folder)), 4)
        again, found = cleaned(job, folder)
        assert again == result and found == clean, f"killed at step {point} of {steps}"


def test_what_a_torn_write_left_behind_the_last_document_is_cut(project, tmp_path, texts):
    added(project, tmp_path / "inbox", texts)
    job = job_of(project)
    _, clean = cleaned(job, tmp_path / "run")
    place = tmp_path / "run" / "cleaning"
    lines = clean["cleaning/reports.jsonl"].splitlines(keepends=True)
    (place / "reports.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    with (place / "cleaned/chunks.jsonl").open("ab") as chunks:
        chunks.write(b'{"row_id": "torn')
    assert cleaned(job, tmp_path / "run")[1] == clean


def test_after_a_new_start_of_the_machine_all_is_done_anew(project, tmp_path, texts):
    added(project, tmp_path / "inbox", texts)
    job = job_of(project)
    _, clean = cleaned(job, tmp_path / "run")
    (tmp_path / "run/cleaning/boot").write_text("another")
    (tmp_path / "run/cleaning/cleaned/1.txt").write_bytes(b"\0\0\0")  # what a power cut leaves of a file that was not on disk
    assert cleaned(job, tmp_path / "run")[1] == clean


def done(run_id: str) -> int:
    path = run_folder(run_id) / "cleaning" / "reports.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def check_each_once(project: int, run_id: str) -> None:
    """Every document once in its row, in the reports and in the chunks."""
    found = documents(project)
    assert len(found) == 500 and all(one.cleaned is not None for one in found)
    reported = [orjson.loads(line) for line in (run_folder(run_id) / "cleaning/reports.jsonl").read_bytes().splitlines()]
    assert [one["report"]["document"] for one in reported] == [one.id for one in found]
    chunks = [orjson.loads(line) for line in (project_folder(project) / "cleaned/chunks.jsonl").read_bytes().splitlines()]
    places = [(line["document"], line["index"]) for line in chunks]
    assert places == [(one.id, index) for one in found for index in range(one.cleaned["chunks"])]


@pytest.mark.parametrize("victim", [pytest.param("child", marks=pytest.mark.slow), "command"])
def test_500_documents_are_each_cleaned_once_though_the_work_is_killed(project, tmp_path, monkeypatch, victim):
    killing = hold(monkeypatch, tmp_path, "documents", 41)
    added(project, tmp_path / "inbox", {f"{n:03}.txt": letter(n, 9) for n in range(500)})
    forget_connections()
    with ours(["clean", "--project", str(project)], tmp_path / "log.txt") as command:
        killing.reached()
        if victim == "command":
            gone(command.kill())
        else:
            (child,) = [one for one in command.descendants() if "brewslm.pipeline.child" in one.cmdline()]
            child.kill()
            assert command.process.wait(PATIENCE_SECONDS) == 1
    before = done("clean-1")
    assert 0 < before < 500
    assert look("clean-1").state == ("interrupted" if victim == "command" else "failed")
    resumed = CliRunner().invoke(app, ["task", "resume", "clean-1", "--json"])
    assert orjson.loads(resumed.stdout)["result"]["ledger"] == {"rows_in": 500, "rows_out": 500, "rejected": {}}
    check_each_once(project, "clean-1")
    with reading() as session:
        codes = [one.reason_code for one in session.query(RunEvent).filter_by(project_id=project)]
    assert codes.count("cleaning_completed") == 1 and codes.count("cleaning_failed") == (victim == "child")


def test_a_cleaning_that_is_cancelled_ends_in_the_midst_of_a_document(project, tmp_path):
    """Of one that would take its parser a minute, if it were not ended after 20 seconds of the processor's time."""
    slow = b"<html><body><p " + b" ".join(b"a%d=1" % number for number in range(300_000)) + b">text</p>"
    added(project, tmp_path / "inbox", {"1.txt": letter(1), "2.html": slow, "3.txt": letter(3)})
    forget_connections()
    with ours(["clean", "--project", str(project)], tmp_path / "log.txt") as command:
        until(lambda: done("clean-1") == 1, "the first document")
        execute.cancel("test", "clean-1")
        assert command.process.wait(PATIENCE_SECONDS) == 1
    assert look("clean-1").state == "cancelled" and documents(project)[0].cleaned is None
    assert done("clean-1") == 1
