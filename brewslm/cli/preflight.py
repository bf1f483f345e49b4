"""brewslm preflight."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import Json, ProjectOption, print_line, print_table, run_operation
from brewslm.cli.train import BaseModel, EvalPackName, ExportFormats, ManifestVersion, RecipeName, Set, settings_of

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
    eval_pack: EvalPackName = "general",
    runtime: Annotated[str | None, typer.Option("--runtime", help="A runtime profile; detected when left out.")] = None,
    export_formats: ExportFormats = None,
    probe: Annotated[bool, typer.Option("--probe", help="Do two real steps on the longest batch, and measure them.")] = False,
    json: Json = False,
) -> None:
    """Say beforehand whether this training can work here: memory, disk, capability, gates and every row."""
    from brewslm.stages.preflight import PreflightRequest

    request = PreflightRequest(
        project=project, base_model=base_model, recipe=recipe, settings=settings_of(set_), manifest_version=manifest,
        eval_pack=eval_pack, runtime=runtime, export_formats=tuple(export_formats) if export_formats else None, probe=probe,
    )  # fmt: skip
    view = run_operation(request, json, show_preflight)
    if view.result and not view.result["passed"]:
        raise typer.Exit(1)


def show_preflight(view: "RunView") -> None:
    """The plan, what was measured, each finding, and what could be changed."""
    result = view.result or {}
    plan = result["plan"]
    if plan:
        verdict = "fits" if result["passed"] else "blocked"
        memory = f"{_gb(plan['memory_bytes']['total'])} of {_gb(plan['runtime']['memory_bytes'])} GB"
        print_line(
            f"{verdict}: {memory} ({plan['memory_basis']}), "
            f"{plan['rows']:,} rows, {plan['steps']:,} steps, {plan['tokens']:,} tokens, longest row {plan['longest_tokens']}, "
            f"{plan['runtime']['precision']}, about {_time(plan['seconds'])}"
        )
        print_line(f"  time: {plan['seconds_basis']}")
    if result["probe"]:
        _show_probe(result["probe"])
    for finding in result["findings"]:
        print_line(f"{finding['severity']} {finding['code']}: {finding['measured']}; the limit is {finding['limit']}")
        print_line(f"  next: {finding['next_step']}")
    if result["plans"]:
        _show_plans(result["plans"])


def _show_probe(probe: dict[str, Any]) -> None:
    print_line(
        f"probe: {_gb(probe['peak_memory_bytes'])} GB measured, {_gb(probe['estimated_bytes'])} estimated; "
        f"{probe['seconds_per_step']:.2f} s a step on the longest batch, {probe['rows']} rows of {probe['tokens']:,} tokens"
    )


def _show_plans(plans: list[dict[str, Any]]) -> None:
    """A line for each, and each change with its reason."""
    rows = []
    for plan in plans:
        changed = ", ".join(f"{one['field']} {one['from']} → {one['to']}" for one in plan["changes"]) or "the recipe as it is"
        fits = "fits" if plan["fits"] else "does not fit"
        rows.append((plan["name"], f"{_gb(plan['memory_bytes'])} GB", f"about {_time(plan['seconds'])}", fits, changed))
    print_table(rows, ("--plan", "memory", "time", "", "changes"))
    for plan in plans:
        for one in plan["changes"]:
            print_line(f"  {plan['name']} {one['field']}: {one['reason']}")


def _gb(size: int) -> str:
    return f"{size / 2**30:.1f}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
