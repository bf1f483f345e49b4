"""brewslm task list|show|log|cancel|pause|resume."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Detach, Json, actor, print_json, print_line, print_table, problems, progress_line
from brewslm.cli.status import ago

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

task_app = typer.Typer(help="Tasks: what runs, ran, or waits to run.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(task_app, name="task")


@task_app.command("list")
def list_tasks(
    project: Annotated[int | None, typer.Option("--project", help="Of this project; of all when left out.")] = None,
    state: Annotated[
        str | None, typer.Option(help="queued, running, interrupted, paused, succeeded, failed or cancelled.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """List tasks, newest first."""
    from brewslm.observe.tasks import tasks

    with problems(json):
        found = tasks(project, state=state, limit=limit)
    if json:
        print_json([task.model_dump(mode="json") for task in found])
    elif found:
        rows: list[tuple[str, ...]] = [
            (task.task_id, task.operation, str(task.project or ""), _state(task), ago(task.created_at)) for task in found
        ]
        print_table(rows, ("task", "operation", "project", "state", "asked"))
    else:
        print_line("no task yet")


@task_app.command()
def show(task_id: str, json: Json = False) -> None:
    """Show one task: its state, its progress or result, and why it failed."""
    from brewslm.observe.tasks import task

    with problems(json):
        found = task(task_id)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _print(found)


@task_app.command()
def log(task_id: str, json: Json = False) -> None:
    """Print the end of what a task's process printed."""
    from brewslm.observe.tasks import log_of

    with problems(json):
        said = log_of(task_id)
    if json:
        print_json({"task_id": task_id, "log": said})
    else:
        print_line(said.rstrip("\n") or f"{task_id} printed nothing")


@task_app.command()
def cancel(task_id: str, json: Json = False) -> None:
    """Ask a task to stop: a queued one at once, a running one within about two seconds."""
    from brewslm.pipeline.execute import cancel as ask

    with problems(json):
        found = ask(actor(), task_id)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        print_line(f"{task_id} is {found.state}" if found.state == "cancelled" else f"{task_id} was asked to stop")


@task_app.command()
def pause(task_id: str, json: Json = False) -> None:
    """Ask a training run to wait after its present step; brewslm train --resume goes on there."""
    from brewslm.pipeline.execute import pause as ask

    with problems(json):
        found = ask(actor(), task_id)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        print_line(f"{task_id} was asked to wait")


@task_app.command()
def resume(task_id: str, detach: Detach = False, json: Json = False) -> None:
    """Go on with a task that failed, was cancelled or was cut off."""
    from brewslm.pipeline import execute

    with problems(json):
        execute.resume(actor(), task_id, detach=detach)
        if detach:
            found = execute.look(task_id)
        else:
            with progress_line(json) as on_progress:
                found = execute.perform(task_id, on_progress)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _print(found)


def _print(task: "RunView") -> None:
    print_line(f"{task.task_id}  {task.operation}  {_state(task)}  asked by {task.actor} {ago(task.created_at)}")
    if task.problem:
        print_line(f"  {task.problem['title']}: {task.problem['code']}")
        print_line(f"  {task.problem['detail']}")
        if task.problem["next_step"]:
            print_line(f"  next: {task.problem['next_step']}")
    for name, value in (task.result or {}).items():
        print_line(f"  {name}: {value}")


def _state(task: "RunView") -> str:
    progress = task.progress or {}
    if task.state == "running" and progress.get("total"):
        return f"running {progress['done']:,}/{progress['total']:,} {progress['unit']}"
    return task.state
