"""One training of `bench.memory_fit`, in the product's own child process."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.memory_settings import Setting, job_of
from brewslm.processes.child import LIBRARIES


@dataclass(frozen=True)
class Trained:
    """A training that was done.

    Attributes:
        peak_bytes: Of its child, resident.
        seconds_per_step: Of its last step; None where only the peak is known.
        seconds: Of all of it.
    """

    setting: Setting
    job: Any
    peak_bytes: int
    seconds_per_step: float | None
    seconds: float


def trained(setting: Setting, folder: Path, models: Path) -> Trained:
    """Train a setting in the product's own child.

    Raises:
        RuntimeError: It did not end well; its last words are the message.
    """
    from brewslm.processes import lifeline
    from brewslm.processes.trace import read_trace
    from brewslm.store.files import read_json, write_json

    job, began = job_of(setting, folder, models), time.monotonic()
    write_json(folder / "job.json", {"operation": "train.run", "job": job.model_dump(mode="json")})
    read_end, write_end = lifeline.hold()
    command = [sys.executable, "-m", "brewslm.pipeline.child", str(folder), str(read_end), "1"]
    environment = {**LIBRARIES, **os.environ}
    with (folder / "log.txt").open("wb") as log:
        ended = subprocess.run(command, pass_fds=[read_end], stdout=log, stderr=log, check=False, env=environment)
    os.close(read_end)
    os.close(write_end)
    if ended.returncode:
        raise RuntimeError((folder / "log.txt").read_text()[-2000:])
    last = read_trace(folder / "trace.jsonl", "step")[-1]
    peak, seconds = read_json(folder / "result.json")["peak_memory_bytes"], round(time.monotonic() - began, 1)
    print(f"{setting.name:75s} {peak / 2**20:8,.0f} MB {seconds:6.1f} s", file=sys.stderr, flush=True)
    return Trained(setting, job, peak, last["tokens"] / last["tokens_per_second"], seconds)
