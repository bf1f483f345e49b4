"""brewslm preflight."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, ProjectOption, print_line, run_operation
from brewslm.cli.train import BaseModel, EvalPackName, ManifestVersion, RecipeName, Set, settings_of

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(preflight)


def preflight(
    project: ProjectOption,
    base_model: BaseModel = None,
    recipe: RecipeName = None,
    set_: Set = None,
    manifest: ManifestVersion = None,
    eval_pack: EvalPackName = "default",
    runtime: Annotated[str | None, typer.Option("--runtime", help="A runtime profile; detected when left out.")] = None,
    json: Json = False,
) -> None:
    """Say beforehand whether this training can work here: memory, capability, gates and every row."""
    from brewslm.stages.preflight import PreflightRequest

    request = PreflightRequest(
        project=project, base_model=base_model, recipe=recipe, settings=settings_of(set_), manifest_version=manifest,
        eval_pack=eval_pack, runtime=runtime,
    )  # fmt: skip
    view = run_operation(request, json, show_preflight)
    if view.result and not view.result["passed"]:
        raise typer.Exit(1)


def show_preflight(view: "RunView") -> None:
    """The plan, then each finding."""
    result = view.result or {}
    plan = result["plan"]
    if plan:
        needed, usable = plan["memory_bytes"]["total"] / 2**30, plan["runtime"]["memory_bytes"] / 2**30
        print_line(
            f"{'fits' if result['passed'] else 'blocked'}: {needed:.1f} of {usable:.1f} GB, {plan['rows']:,} rows, "
            f"{plan['steps']:,} steps, {plan['tokens']:,} tokens, longest row {plan['longest_tokens']}, "
            f"{plan['runtime']['precision']}"
        )
    for finding in result["findings"]:
        print_line(f"{finding['severity']} {finding['code']}: {finding['measured']}; the limit is {finding['limit']}")
        print_line(f"  next: {finding['next_step']}")
