"""Start a heavy job as a child process, follow its trace, and say why it ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from brewslm.processes import lifeline
from brewslm.processes.memory_kills import kill_counter
from brewslm.processes.trace import TraceReader
from brewslm.processes.verdict import Cause, Ending, cause_of
from brewslm.store.files import read_json

LIBRARIES = {"GOMP_SPINCOUNT": "2000", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128"}
"""What torch's libraries read once, when they are loaded.

oneDNN keeps compiled products by their shapes, 1,024 of them, at half a megabyte and more each: half a gigabyte in a training of
60 steps, whose packs are of many lengths. 128 are those of the last four lengths, each of which needs some 30.

OpenMP threads wait for one another by spinning: beside another job that starves the very thread they wait for. Some 20 µs of
it cost nothing and spare most sleeps; never to spin (OMP_WAIT_POLICY=PASSIVE) made training a quarter slower on quiet cores."""
ANSWERING = LIBRARIES | {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
}
"""Of a child that asks a model and trains none. Its batches take some hundred megabytes and give them back, again and again: as
huge pages that are kept, they cost a hundredth of the page faults. (A training's memory is foretold, and measured without.)"""
POLL_SECONDS = 0.1
GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class ChildEnd:
    """How a child ended.

    Attributes:
        error: What its error.json held, or {}.
    """

    cause: Cause
    evidence: str
    error: dict[str, Any]


def run_child(
    folder: Path,
    on_line: Callable[[dict[str, Any]], None],
    cancelled: Callable[[], bool],
    timeout_seconds: float | None = None,
    attempt: int = 1,
    libraries: Mapping[str, str] = LIBRARIES,
) -> ChildEnd:
    """Run `folder/job.json` in a process group of its own until it ends.

    The child leaves `result.json` (written last, renamed into place) or `error.json`; what it prints goes to `log.txt`.

    Args:
        on_line: Gets each new trace line.
        cancelled: Asked ten times a second; true ends the child with SIGTERM, and SIGKILL two seconds later.
        timeout_seconds: Ends it in the same way.
        attempt: What the job's context says of how often it was begun.
        libraries: Variables of its environment, where ours has no such.
    """
    (folder / "error.json").unlink(missing_ok=True)
    trace = TraceReader(folder / "trace.jsonl", from_end=True)
    killed = kill_counter()
    killed_before = killed()
    read_end, write_end = lifeline.hold()
    try:
        with (folder / "log.txt").open("ab") as log:
            process = start(folder, read_end, attempt, log, libraries)
        os.close(read_end)
        sent = _follow(process, trace, on_line, cancelled, timeout_seconds)
    finally:
        os.close(write_end)
    error = read_json(folder / "error.json") if (folder / "error.json").exists() else {}
    ending = Ending(
        returncode=process.returncode,
        wrote_result=(folder / "result.json").exists(),
        error_kind=error.get("kind", ""),
        sent=sent,
        kernel_oom_kills=killed() - killed_before,
    )
    cause, evidence = cause_of(ending)
    return ChildEnd(cause, evidence, error)


def start(
    folder: Path, read_end: int, attempt: int, log: IO[bytes], libraries: Mapping[str, str]
) -> subprocess.Popen[bytes]:  # fmt: skip
    """The child's process, in a group of its own; it watches `read_end`, and what it prints goes to `log`."""
    return subprocess.Popen(
        [sys.executable, "-m", "brewslm.pipeline.child", str(folder), str(read_end), str(attempt)],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[read_end], start_new_session=True,
        env={**libraries, **os.environ},
    )  # fmt: skip


def _follow(
    process: subprocess.Popen[bytes],
    trace: TraceReader,
    on_line: Callable[[dict[str, Any]], None],
    cancelled: Callable[[], bool],
    timeout_seconds: float | None,
) -> str:
    """Pass on the trace until the child has ended; returns why we stopped it, or ""."""
    started, sent = time.monotonic(), ""
    try:
        while True:
            try:
                process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                for line in trace.read():
                    on_line(line)
                if cancelled():
                    sent = "cancel"
                elif timeout_seconds is not None and time.monotonic() - started > timeout_seconds:
                    sent = "timeout"
                if sent:
                    end_group(process)
            else:
                for line in trace.read():
                    on_line(line)
                return sent
    except BaseException:  # Ctrl-C reaches only us: the child has a session of its own
        end_group(process)
        raise


def end_group(process: subprocess.Popen[bytes], grace_seconds: float | None = None) -> None:
    """SIGTERM to the child's group, and SIGKILL when it is still there after the grace, of GRACE_SECONDS if it is None."""
    grace_seconds = GRACE_SECONDS if grace_seconds is None else grace_seconds
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(grace_seconds)
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()
