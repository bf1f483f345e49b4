"""Two tiny operations for tests of the runner: they do one thing each, here or in a child process.

`sitecustomize` in `tests/probe_path` registers them in a child, which imports nothing but the lifecycle.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.pipeline import lifecycle
from brewslm.pipeline.operation import Operation
from brewslm.processes.context import Context
from brewslm.reasons.refusals import SourceNotFound
from brewslm.reasons.training import TrainingResumed, TrainingRuntimeError
from brewslm.rows import Ledger
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store.files import write_json
from brewslm.store.records import Records
from brewslm.store.tables import Project, Run

SECRET = "a person's own words"
_TAKEN: list[bytearray] = []
PROBE_PATH = Path(__file__).parent / "probe_path"


class ProbeRequest(ProjectRequest):
    action: str
    limit: float | None = None


class HeavyProbeRequest(ProbeRequest):
    pass


class ProbeJob(Job):
    action: str


class ProbeResult(Result):
    pid: int
    action: str


def resolve(request: ProbeRequest, records: Records) -> ProbeJob:
    if request.action == "refuse early":
        raise StageError(SourceNotFound(), where="a place", cause="it is not there")
    return ProbeJob(action=request.action)


def run(job: ProbeJob, context: Context) -> ProbeResult:
    context.tell(TrainingResumed(experiment_id="exp-0", attempt=1, from_step=0))
    context.progress(1, 2, "step", loss=0.5, pid=os.getpid())
    match job.action:
        case "crash":
            raise ValueError(SECRET)
        case "primitive":  # what oneDNN says, be it for memory or not
            raise RuntimeError("could not create a primitive")
        case "primitive at the limit":
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + 2**20, used + 2**20))
            raise RuntimeError("could not create a primitive")
        case "memory":
            bytearray(1 << 60)
        case "exhaust":
            exhaust()
        case "refuse":
            raise StageError(SourceNotFound(), "the probe was refused", where="a place", cause="it is not there")
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait":
            context.check()
            signal.pause()
        case "wait with a grandchild":
            grandchild = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
            context.progress(2, 2, "step", pid=os.getpid(), grandchild=grandchild.pid)
            signal.pause()
        case "cut":  # as a resumed training run does, and at once it tells something
            os.truncate(context.folder / "trace.jsonl", 0)
            context.tell(TrainingResumed(experiment_id="exp-0", attempt=2, from_step=0))
        case "wait for go":  # a file in the run's folder
            while not (context.folder / "go").exists():
                time.sleep(0.05)
                context.check()
        case "stay":  # whatever it is asked by signal
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            context.progress(2, 2, "step", pid=os.getpid())
            while True:
                signal.pause()
        case "libraries":
            context.progress(1, 1, "step", cache=int(os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"]))
            write_json(context.folder / "environment.json", dict(os.environ))
        case "attempt":
            context.progress(1, 1, "step", attempt=context.attempt)
        case "interrupt":
            raise KeyboardInterrupt
    return ProbeResult(ledger=Ledger(rows_in=2, rows_out=2), pid=os.getpid(), action=job.action)


def exhaust() -> None:
    """Take all memory that is left, to the last kilobyte, and keep it: nobody gets it back."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 64 * 2**20, used + 64 * 2**20))
    size = 32 * 2**20
    while True:
        try:
            _TAKEN.append(bytearray(size))
        except MemoryError:
            if size < 1024:
                raise
            size //= 2


def record(result: ProbeResult, session: Session, run: Run) -> list[TrainingResumed]:
    session.add(Project(name=f"made by {run.id}"))
    session.flush()
    if result.action == "fail to record":
        raise ValueError(SECRET)
    return [TrainingResumed(experiment_id=run.id, attempt=run.attempt, from_step=1)]


def operations() -> tuple[Operation, Operation]:
    common = {
        "resolve": resolve,
        "run": run,
        "record": record,
        "job": ProbeJob,
        "result": ProbeResult,
        "timeout_seconds": lambda request: request.limit,
        "failure": lambda failed: TrainingRuntimeError(
            experiment_id=failed.run_id, error=f"{failed.problem}: {failed.error}", last_step=int(failed.figures.get("step", 0))
        ),
    }
    light = Operation("probe.light", "probe", "", ProbeRequest, **common)
    return light, Operation("probe.heavy", "heavy", "", HeavyProbeRequest, heavy=True, **common)


def register() -> None:
    for operation in operations():
        lifecycle.OPERATIONS[operation.name] = operation
        lifecycle._BY_REQUEST[operation.request] = operation
