"""Read-only views of a run's trace while it grows: what live charts ask for, and its steps with their rows."""

from typing import Any

import orjson
from pydantic import BaseModel

from brewslm.pipeline import execute
from brewslm.processes.trace import TraceReader
from brewslm.store.files import run_folder

STEPS = 20


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


class StepView(BaseModel):
    """One optimizer step: its figures by their names in the trace, and the rows that it learned from."""

    step: int
    figures: dict[str, float]
    row_ids: list[str]


class StepsPage(BaseModel):
    """Some steps, newest first; `older` is the step to ask for the page after it, None at the end."""

    steps: list[StepView]
    total: int
    older: int | None
    newer: bool


def trace_steps(run_id: str, before: int | None = None, limit: int = STEPS) -> StepsPage:
    """A page of the steps that stand in the trace now.

    Args:
        before: Only steps with a smaller number.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    lines = _step_lines(run_id)
    last = max(0, before - 1) if before is not None else len(lines)
    found = [_step(line) for line in lines[max(0, last - limit) : last]]  # step n stands on the n-th of them
    older = found[0].step if found and found[0].step > 1 else None
    return StepsPage(steps=found[::-1], total=len(lines), older=older, newer=last < len(lines))


def trace_step(run_id: str, step: int) -> StepView | None:
    """One step; None where the trace has none of this number.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    lines = _step_lines(run_id)
    return _step(lines[step - 1]) if 1 <= step <= len(lines) else None


def _step_lines(run_id: str) -> list[bytes]:
    """Unread, so that a page of a long trace costs what it shows."""
    execute.look(run_id)
    path = run_folder(run_id) / "trace.jsonl"
    data = path.read_bytes() if path.exists() else b""
    return [line for line in data[: data.rfind(b"\n") + 1].splitlines() if b'"kind":"step"' in line[:40]]


def _step(line: bytes) -> StepView:
    said = orjson.loads(line)
    figures = {name: value for name, value in said.items() if isinstance(value, int | float) and name not in ("step", "ts")}
    return StepView(step=said["step"], figures=figures, row_ids=said["row_ids"])
