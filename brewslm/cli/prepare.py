"""brewslm prepare."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Detach, Json, ProjectOption, print_line, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(prepare)


def prepare(
    project: ProjectOption,
    task_profile: Annotated[str | None, typer.Option(help="Which rows to take; left out, the kind that most are of.")] = None,
    train_rows: Annotated[int | None, typer.Option(min=1, help="Rows to train on; left out, all that are left.")] = None,
    dev_rows: Annotated[int | None, typer.Option(min=0, help="Rows that choose checkpoints; a tenth, at most 100.")] = None,
    eval_rows: Annotated[int | None, typer.Option(min=1, help="Held-out rows; a fifth, at most 400.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed over the same rows gives the same split.")] = 42,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Freeze the project's rows as a data manifest: train, its dev slice, and eval."""
    from brewslm.stages.prepare import PrepareRequest

    request = PrepareRequest(
        project=project,
        task_profile=task_profile,
        train_rows=train_rows,
        dev_rows=dev_rows,
        eval_rows=eval_rows,
        seed=seed,
    )
    run_operation(request, json, show, detach=detach)


def show(view: "RunView") -> None:
    """One line of sizes, and one of what was left out."""
    result = view.result or {}
    rows, rejected = result["rows"], result["ledger"]["rejected"]
    sizes = " · ".join(f"{split} {rows[split]:,}" for split in ("train", "dev", "eval"))
    print_line(f"manifest v{result['version']}  {result['task_profile']}  {sizes} · leaks {rejected.get('leak', 0):,}")
    others = [f"{reason} {count:,}" for reason, count in sorted(rejected.items()) if reason != "leak"]
    if others:
        print_line(f"left out: {', '.join(others)}")
