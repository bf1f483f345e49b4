"""Read-only view of a run's trace while it grows: what a live loss chart asks for."""

from typing import Any

from pydantic import BaseModel

from brewslm.pipeline import execute
from brewslm.processes.trace import TraceReader
from brewslm.store.files import run_folder


class TracePage(BaseModel):
    """Lines of a trace.

    Attributes:
        state: The run's, read before the lines: once it has ended, the page that was asked for afterwards is the last.
        lines: Training steps and dev evaluations, oldest first, without their row ids.
        next: The cursor to ask on from.
    """

    state: str
    lines: list[dict[str, Any]]
    next: int


def trace(run_id: str, after: int = 0) -> TracePage:
    """What was added to the trace after a cursor; 0 is its beginning.

    A resumed run cuts its trace back to its checkpoint: then `next` is smaller than `after`, and the caller should begin again.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    state = execute.look(run_id).state
    reader = TraceReader(run_folder(run_id) / "trace.jsonl", offset=after)
    found = [line for line in reader.read() if line["kind"] in ("step", "eval")]
    return TracePage(state=state, lines=[_without_rows(line) for line in found], next=reader.offset)


def _without_rows(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "row_ids"}
