"""How every command speaks: data on stdout, progress and problems on stderr, exit codes of DESIGN.md §4."""

import json as _json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from brewslm.errors import StageError
    from brewslm.pipeline.runs import RunView
    from brewslm.stages.contract import Request

Json = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")]
ProjectOption = Annotated[int, typer.Option("--project", help="The project's number; see brewslm project list.")]
Detach = Annotated[bool, typer.Option("--detach", help="Queue it for a worker, and print the task at once.")]


def actor() -> str:
    """Who sits at this terminal."""
    import getpass

    return f"cli:{getpass.getuser()}"


def run_operation(request: "Request", json: bool, show: Callable[["RunView"], None], *, detach: bool = False) -> "RunView":
    """Run one operation in the foreground (or queue it), show its result, or its problem and exit.

    Args:
        show: Prints the result for a person.
    """
    from brewslm.pipeline import execute

    with problems(json):
        if detach:
            view = execute.queue(actor(), request)
        else:
            with progress_line(json) as on_progress:
                view = execute.call(actor(), request, on_progress=on_progress)
    if json:
        print_json(view.model_dump(mode="json"))
    elif detach:
        print_line(f"{view.task_id} is queued; follow it with  brewslm task show {view.task_id}")
    else:
        show(view)
    return view


@contextmanager
def problems(json: bool) -> Iterator[None]:
    """Turn a refusal or a failed run into a message (or a problem document) and an exit code."""
    from brewslm.errors import StageError
    from brewslm.pipeline.execute import RunFailed

    try:
        yield
    except RunFailed as failed:
        show_problem(failed.error, json, failed.view.task_id)
        raise typer.Exit(failed.error.reason.exit_code) from None
    except StageError as error:
        show_problem(error, json)
        raise typer.Exit(error.reason.exit_code) from None


def show_problem(error: "StageError", json: bool, run_id: str = "") -> None:
    """A problem: as JSON on stdout, or for a person on stderr."""
    if json:
        print_json(error.problem() | ({"task_id": run_id} if run_id else {}))
        return
    print(error, file=sys.stderr)


def print_json(value: Any) -> None:
    """JSON with stable keys on stdout."""
    print(_json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_line(text: str) -> None:
    """A line of the result, on stdout."""
    print(text)


def print_table(rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = ()) -> None:
    """A small table on stdout, aligned, without borders."""
    every = [header, *rows] if header else rows
    widths = [max(len(row[column]) for row in every) for column in range(len(every[0]))] if every else []
    for row in every:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def progress_line(quiet: bool) -> Iterator[Callable[[int, int | None, str, dict[str, float]], None] | None]:
    """A progress line on stderr while the block runs; nothing when quiet or when stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def on_progress(done: int, total: int | None, unit: str, figures: dict[str, float]) -> None:
            said = "  ".join([unit, *(f"{name} {value:,.4g}" for name, value in figures.items())])
            bar.update(task, completed=done, total=total, description=said)

        yield on_progress
