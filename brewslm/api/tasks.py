"""Background tasks: a task is a run, and its id is the run's."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse

from brewslm.api.work import ACTOR, accepted
from brewslm.observe.tasks import PAGE, log_of, tasks
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView

router = APIRouter(prefix="/api/tasks", tags=["tasks"])


@router.get("", operation_id="task.list")
def listed(
    project: int | None = None,
    operation: str | None = None,
    state: str | None = None,
    parent: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
) -> list[RunView]:
    """Tasks, newest first; those of one project, operation, state, or parent run."""
    return tasks(project, operation=operation, state=state, parent=parent, limit=limit)


@router.get("/{task_id}", operation_id="task.show")
def show(task_id: str) -> RunView:
    """One task: its state, its progress while it runs, its result or its problem."""
    return execute.look(task_id)


@router.get("/{task_id}/log", operation_id="task.log", response_class=PlainTextResponse)
def log(task_id: str) -> str:
    """The end of what the task's process printed; empty where it printed nothing."""
    return log_of(task_id)


@router.post("/{task_id}/cancel", operation_id="task.cancel", status_code=202)
def cancel(task_id: str, response: Response) -> RunView:
    """Ask a task to stop."""
    return accepted(execute.cancel(ACTOR, task_id), response)


@router.post("/{task_id}/pause", operation_id="task.pause", status_code=202)
def pause(task_id: str, response: Response) -> RunView:
    """Ask a training run to wait after its present step; a resume goes on there."""
    return accepted(execute.pause(ACTOR, task_id), response)


@router.post("/{task_id}/resume", operation_id="task.resume", status_code=202)
def resume(task_id: str, response: Response) -> RunView:
    """Have a task that failed, was cancelled or was cut off go on."""
    return accepted(execute.look(execute.resume(ACTOR, task_id, detach=True)), response)
