"""One training of `bench.memory_fit`, in the product's own child process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from brewslm.processes.child import YIELD_CORES


def run_here(job: Any, folder: Path) -> dict[str, float]:
    """Run the job; its peak resident bytes, and the seconds of its last step.

    Raises:
        RuntimeError: It did not end well; its last words are the message.
    """
    from brewslm.processes import lifeline
    from brewslm.processes.trace import read_trace
    from brewslm.store.files import read_json, write_json

    write_json(folder / "job.json", {"operation": "train.run", "job": job.model_dump(mode="json")})
    read_end, write_end = lifeline.hold()
    command = [sys.executable, "-m", "brewslm.pipeline.child", str(folder), str(read_end), "1"]
    with (folder / "log.txt").open("wb") as log:
        ended = subprocess.run(
            command, pass_fds=[read_end], stdout=log, stderr=log, check=False, env={**YIELD_CORES, **os.environ}
        )
    os.close(read_end)
    os.close(write_end)
    if ended.returncode:
        raise RuntimeError((folder / "log.txt").read_text()[-2000:])
    last = read_trace(folder / "trace.jsonl", "step")[-1]
    peak = read_json(folder / "result.json")["peak_memory_bytes"]
    return {"peak_bytes": peak, "seconds_per_step": last["tokens"] / last["tokens_per_second"]}
