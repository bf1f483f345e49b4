import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brewslm.pipeline.lifecycle import OPERATIONS
from brewslm.processes.child import ANSWERING, LIBRARIES, run_child
from brewslm.processes.trace import TraceReader, read_trace
from brewslm.processes.verdict import Cause
from brewslm.store.files import read_json, write_json
from tests.probe import PROBE_PATH, SECRET
from tests.running import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def children_know_the_probe(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{PROBE_PATH}{os.pathsep}{ROOT}")


def job(folder: Path, action: str) -> Path:
    write_json(folder / "job.json", {"operation": "probe.heavy", "job": {"action": action}})
    return folder


def test_a_child_that_finishes_leaves_its_result_and_its_trace(tmp_path):
    lines = []
    end = run_child(job(tmp_path, "finish"), lines.append, lambda: False)
    assert end.cause is Cause.FINISHED
    assert read_json(tmp_path / "result.json")["pid"] != os.getpid()
    assert [line["kind"] for line in lines] == ["reason", "progress"] and lines[1]["figures"]["loss"] == 0.5
    assert read_trace(tmp_path / "trace.jsonl") == lines and read_trace(tmp_path / "trace.jsonl", "progress") == lines[1:]


def test_a_childs_libraries_find_their_settings_unless_a_person_made_others(tmp_path, monkeypatch):
    monkeypatch.setenv("MALLOC_MMAP_MAX_", "7")
    end = run_child(job(tmp_path, "libraries"), lambda _line: None, lambda: False, libraries=ANSWERING)
    assert end.cause is Cause.FINISHED
    found = read_json(tmp_path / "environment.json")
    assert {name: found[name] for name in ANSWERING} == ANSWERING | {"MALLOC_MMAP_MAX_": "7"}
    assert OPERATIONS["evaluate.run"].libraries is ANSWERING and OPERATIONS["train.run"].libraries is LIBRARIES


@pytest.mark.parametrize(
    ("action", "cause", "kind"),
    [
        ("crash", Cause.CRASHED, "crash"),
        ("memory", Cause.OOM, "memory"),
        ("primitive", Cause.CRASHED, "crash"),
        ("primitive at the limit", Cause.OOM, "memory"),
        ("refuse", Cause.REFUSED, "stage_error"),
        ("kill", Cause.KILLED, None),
    ],
)
def test_each_bad_end_has_its_cause_and_tells_no_secret(tmp_path, action, cause, kind):
    end = run_child(job(tmp_path, action), lambda _line: None, lambda: False)
    assert end.cause is cause and end.error.get("kind") == kind
    assert not (tmp_path / "result.json").exists()
    assert SECRET not in str(end)


def test_a_cancelled_child_ends(tmp_path):
    started = []
    end = run_child(job(tmp_path, "wait"), started.append, lambda: len(started) == 2)
    assert end.cause is Cause.CANCELLED


def test_a_child_that_stays_when_it_is_asked_is_killed(tmp_path):
    started = []
    end = run_child(job(tmp_path, "stay"), started.append, lambda: len(started) == 3)
    assert (end.cause, end.evidence) == (Cause.CANCELLED, "cancelled on request, by SIGKILL after its grace")


def test_a_child_whose_memory_is_full_to_the_last_byte_still_says_so(tmp_path):
    end = run_child(job(tmp_path, "exhaust"), lambda _line: None, lambda: False)
    assert end.cause is Cause.OOM
    assert end.error["kind"] == "memory" and end.error["error"].startswith("MemoryError at ")
    assert "MemoryError" in (tmp_path / "log.txt").read_text()


def test_a_child_keeps_few_compiled_products_unless_it_is_told_otherwise(tmp_path, monkeypatch):
    def kept(name: str) -> int:
        (tmp_path / name).mkdir()
        lines = []
        run_child(job(tmp_path / name, "libraries"), lines.append, lambda: False)
        return lines[-1]["figures"]["cache"]

    assert kept("as it is") == 128
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    assert kept("told") == 64


def test_a_child_knows_which_attempt_it_is(tmp_path):
    lines = []
    run_child(job(tmp_path, "attempt"), lines.append, lambda: False, attempt=3)
    assert lines[-1]["figures"] == {"attempt": 3}


def test_a_child_past_its_time_limit_ends(tmp_path):
    end = run_child(job(tmp_path, "wait"), lambda _line: None, lambda: False, timeout_seconds=0.5)
    assert end.cause is Cause.TIMEOUT


def test_an_error_in_the_parent_ends_the_child(tmp_path):
    pids = []

    def fail(line):
        if line["kind"] == "progress":
            pids.append(os.pidfd_open(int(line["figures"]["pid"])))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_child(job(tmp_path, "wait"), fail, lambda: False)
    assert ended(pids[0])


def test_the_lifeline_ends_child_and_grandchild_when_the_parent_is_killed(tmp_path):
    code = """
import sys
import time
from pathlib import Path
from brewslm.pipeline.lifecycle import OPERATIONS
from brewslm.processes.child import ANSWERING, LIBRARIES, run_child
def tell(line):
    if "grandchild" in line.get("figures", {}):
        print(int(line["figures"]["pid"]), int(line["figures"]["grandchild"]), flush=True)
run_child(Path(sys.argv[1]), tell, lambda: False)
"""
    folder = job(tmp_path, "wait with a grandchild")
    parent = subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE, text=True)
    watched = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert len(watched) == 2 and all(ended(pid) for pid in watched)


def ended(pidfd: int, seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether the process is gone; a pidfd is readable when it is."""
    try:
        return bool(select.select([pidfd], [], [], seconds)[0])
    finally:
        os.close(pidfd)


def test_a_torn_line_waits_until_it_is_whole(tmp_path):
    path = tmp_path / "trace.jsonl"
    reader = TraceReader(path)
    assert reader.read() == []
    path.write_bytes(b'{"kind":"a"}\n{"ki')
    assert reader.read() == [{"kind": "a"}] and reader.read() == []
    with path.open("ab") as file:
        file.write(b'nd":"b"}\n')
    assert reader.read() == [{"kind": "b"}]


def test_a_second_attempt_is_told_only_what_is_new(tmp_path):
    run_child(job(tmp_path, "kill"), lambda _line: None, lambda: False)
    lines = []
    assert run_child(job(tmp_path, "crash"), lines.append, lambda: False).cause is Cause.CRASHED
    assert [line["kind"] for line in lines] == ["reason", "progress"]
    assert len(read_trace(tmp_path / "trace.jsonl")) == 4


def line(kind: str, ts: float) -> bytes:
    return b'{"kind":"%s","ts":%f}\n' % (kind.encode(), ts)


@pytest.mark.parametrize("written_on", [1, 9], ids=["still shorter", "longer again"])
def test_a_trace_that_a_resume_cut_back_tells_each_new_line_once(tmp_path, written_on):
    path = tmp_path / "trace.jsonl"
    path.write_bytes(b"".join(line("an earlier attempt", 5) for _ in range(4)))
    reader = TraceReader(path, from_end=True)
    assert reader.read() == []
    os.truncate(path, 2 * len(line("an earlier attempt", 5)))
    later = time.time() + 1
    with path.open("ab") as file:
        file.write(b"".join(line("new", later + number) for number in range(written_on)))
    assert [one["ts"] for one in reader.read()] == pytest.approx([later + number for number in range(written_on)])
    assert reader.read() == []


def test_a_resumed_child_s_first_words_after_its_cut_are_heard(tmp_path):
    run_child(job(tmp_path, "kill"), lambda _line: None, lambda: False)
    lines = []
    assert run_child(job(tmp_path, "cut"), lines.append, lambda: False).cause is Cause.FINISHED
    assert lines[-1]["payload"]["attempt"] == 2
