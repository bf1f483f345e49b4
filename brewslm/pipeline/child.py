"""The main of every heavy child: read job.json, run, leave result.json or error.json. It never opens the database.

What its last words need is imported here, before any work: a child that has run out of memory can import nothing more.
"""

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brewslm.errors import StageError, where_of
from brewslm.pipeline.lifecycle import OPERATIONS
from brewslm.processes import lifeline
from brewslm.processes.context import ChildContext, Paused
from brewslm.processes.origin import origin_of
from brewslm.processes.shortage import memory_was_short
from brewslm.store.files import read_json, write_json

RESERVE_BYTES = 8 * 2**20
"""Held while the job runs and let go before the last words: a full memory must not silence them."""
_MEMORY = ("out of memory", "not enough memory", "allocate memory")
"""What torch says, on CUDA, Windows and Linux, when an allocation fails: it raises a plain RuntimeError."""
_PERHAPS_MEMORY = ("could not create a primitive", "could not execute a primitive", "could not create a memory object")
"""What oneDNN's products say when they get no memory, and of other troubles too."""


def main() -> None:
    """`python -m brewslm.pipeline.child <run folder> <lifeline's read end> <attempt>`."""
    folder, read_end, attempt = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    lifeline.watch(read_end)
    _prefer_for_oom_killer()
    reserve: bytearray | None = bytearray(RESERVE_BYTES)
    try:
        written = read_json(folder / "job.json")
        write_json(folder / "result.json", _run(written["operation"], written["job"], ChildContext(folder, attempt)))
    except BaseException as error:  # noqa: BLE001 - the child's main: its last words are what the parent can report
        reserve = None
        short = memory_was_short()
        _let_go(error)
        write_json(folder / "error.json", _last_words(error, short))
        traceback.print_exc()
        sys.exit(1)
    del reserve
    sys.stdout.flush()
    os._exit(0)  # torch's and llama.cpp's threads may take seconds to wind down, and the result is safely written


def _run(name: str, job: dict[str, Any], context: ChildContext) -> dict[str, Any]:
    operation = OPERATIONS[name]
    assert operation.run is not None
    return operation.run(operation.job.model_validate(job), context).model_dump(mode="json")


def _let_go(error: BaseException) -> None:
    """An error's frames hold what the job held: its model, its batches. They are not needed to say what happened."""
    for each in _chain(error):
        traceback.clear_frames(each.__traceback__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _last_words(error: BaseException, memory_short: bool) -> dict[str, Any]:
    if isinstance(error, StageError):
        parts = [error.what, error.where, error.cause, error.next_step]
        return {"kind": "stage_error", "code": error.reason.code, "payload": error.reason.payload(), "parts": parts}
    if isinstance(error, Paused):
        return {"kind": "paused"}
    telling = (*_MEMORY, *(_PERHAPS_MEMORY if memory_short else ()))
    memory = isinstance(error, MemoryError) or any(said in str(error).lower() for said in telling)
    origin = origin_of(error).model_dump()
    return {"kind": "memory" if memory else "crash", "error": where_of(error), "origin": origin}


def _prefer_for_oom_killer() -> None:
    """Under memory pressure the kernel shall take this child, and not the server that can tell of it."""
    try:
        Path("/proc/self/oom_score_adj").write_text("800")
    except OSError:
        return


if __name__ == "__main__":
    main()
