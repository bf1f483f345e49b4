"""The main of every heavy child: read job.json, run, leave result.json or error.json. It never opens the database."""

import os
import sys
import traceback
from pathlib import Path
from typing import Any

_MEMORY = ("out of memory", "not enough memory", "allocate memory")
"""What torch says, on CUDA, Windows and Linux, when an allocation fails: it raises a plain RuntimeError."""


def main() -> None:
    """`python -m brewslm.pipeline.child <run folder> <lifeline's read end>`."""
    folder = Path(sys.argv[1])
    from brewslm.processes import lifeline

    lifeline.watch(int(sys.argv[2]))
    _prefer_for_oom_killer()
    from brewslm.store.files import read_json, write_json

    try:
        written = read_json(folder / "job.json")
        write_json(folder / "result.json", _run(written["operation"], written["job"], folder))
    except BaseException as error:  # noqa: BLE001 - the child's main: its last words are what the parent can report
        traceback.print_exc()
        write_json(folder / "error.json", _last_words(error))
        sys.exit(1)
    sys.stdout.flush()
    os._exit(0)  # torch's and llama.cpp's threads may take seconds to wind down, and the result is safely written


def _run(name: str, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    from brewslm.pipeline.lifecycle import OPERATIONS
    from brewslm.processes.context import ChildContext

    operation = OPERATIONS[name]
    assert operation.run is not None
    return operation.run(operation.job.model_validate(job), ChildContext(folder)).model_dump(mode="json")


def _last_words(error: BaseException) -> dict[str, Any]:
    from brewslm.errors import StageError
    from brewslm.pipeline.execute import where_of
    from brewslm.processes.context import Paused

    if isinstance(error, StageError):
        parts = [error.what, error.where, error.cause, error.next_step]
        return {"kind": "stage_error", "code": error.reason.code, "payload": error.reason.payload(), "parts": parts}
    if isinstance(error, Paused):
        return {"kind": "paused"}
    memory = isinstance(error, MemoryError) or any(said in str(error).lower() for said in _MEMORY)
    return {"kind": "memory" if memory else "crash", "error": where_of(error)}


def _prefer_for_oom_killer() -> None:
    """Under memory pressure the kernel shall take this child, and not the server that can tell of it."""
    try:
        Path("/proc/self/oom_score_adj").write_text("800")
    except OSError:
        return


if __name__ == "__main__":
    main()
