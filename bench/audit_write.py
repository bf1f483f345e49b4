"""The writing half of bench/audit.py: `python -m bench.audit_write` measures it alone.

Eight threads emit as a stage in mid-run does (an event by itself, answered when it is written), once with each commit synced and
once as WAL NORMAL does; then eight processes do. Each has a home of its own on the disk of this checkout, for the memory's
file systems sync nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

WRITERS = 8
SECONDS, QUICK_SECONDS = 10.0, 1.0
HERE = Path(__file__).parent


def measure(quick: bool = False) -> dict[str, Any]:
    """Emits per second by eight writers, and whether any was lost or the chain has a fault."""
    seconds = QUICK_SECONDS if quick else SECONDS
    return {
        "full": _measured("full", seconds, threads=WRITERS, processes=1),
        "normal": _measured("normal", seconds, threads=WRITERS, processes=1),
        "processes": _measured("full", seconds, threads=1, processes=WRITERS),
    }


def _measured(synchronous: str, seconds: float, threads: int, processes: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=HERE, prefix=".audit-") as home:
        environment = {**os.environ, "BREWSLM_HOME": home, "BREWSLM_SYNCHRONOUS": synchronous}
        _run(environment, "open")
        writers = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.audit_write", "write", str(seconds), str(threads)], env=environment,
                stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True,
            )
            for _ in range(processes)
        ]  # fmt: skip
        for writer in writers:  # each is ready when it says so
            assert writer.stdout is not None
            writer.stdout.readline()
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        told = [json.loads(writer.communicate()[0]) for writer in writers]
        checked = _run(environment, "check")
        emitted = sum(one["emitted"] for one in told)
        return {
            "emits_per_second": round(sum(one["emitted"] / one["seconds"] for one in told), 1), "emitted": emitted,
            "gaps": checked["gaps"] + emitted - checked["events"], "faults": checked["faults"],
            "slowest_ms": round(1000 * max(one["slowest"] for one in told), 1),
        }  # fmt: skip


def _run(environment: dict[str, str], what: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "bench.audit_write", what], env=environment, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _write(seconds: float, threads: int) -> dict[str, Any]:
    from brewslm.audit import emit_event
    from brewslm.reasons.training import TrainingResumed
    from brewslm.store.database import engine

    engine()
    print("ready", flush=True)
    sys.stdin.readline()
    counts, slowest = [0] * threads, [0.0] * threads
    began = time.monotonic()

    def emit(writer: int) -> None:
        now = time.monotonic()
        while now - began < seconds:
            reason = TrainingResumed(experiment_id=f"exp-{writer}", attempt=1, from_step=counts[writer])
            emit_event(reason, project_id=1, actor="bench", run_id=f"exp-{writer}")
            counts[writer] += 1
            before, now = now, time.monotonic()
            slowest[writer] = max(slowest[writer], now - before)

    writers = [threading.Thread(target=emit, args=(number,)) for number in range(threads)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return {"emitted": sum(counts), "seconds": time.monotonic() - began, "slowest": max(slowest)}


def _check() -> dict[str, Any]:
    from brewslm.audit import gaps, verify
    from brewslm.store.database import reading

    with reading() as session:
        count, faults = verify(session)
        return {"events": count, "faults": len(faults), "gaps": gaps(session)}


def main() -> None:
    """A writer or a check, as a process of its own; without a word, the whole measurement."""
    match sys.argv[1:]:
        case ["write", seconds, threads]:
            print(json.dumps(_write(float(seconds), int(threads))))
        case ["open" | "check"]:
            print(json.dumps(_check()))
        case rest:
            print(json.dumps(measure(quick="--quick" in rest), indent=2))


if __name__ == "__main__":
    main()
