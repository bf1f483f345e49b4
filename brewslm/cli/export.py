"""brewslm export."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Detach, Json, print_line, print_table, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(export)


def export(
    experiment: Annotated[str, typer.Option(help="Such as exp-1.")],
    format: Annotated[
        list[str] | None, typer.Option(help="A format, such as gguf-q8_0; gguf or all for several; repeatable.")
    ] = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Write the trained model as files that other programs run, each checked by running it."""
    from brewslm.stages.export import ExportRequest

    request = ExportRequest(experiment=experiment, formats=tuple(format)) if format else ExportRequest(experiment=experiment)
    run_operation(request, json, show, detach=detach)


def show(view: "RunView") -> None:
    """One line for each artifact."""
    result = view.result or {}
    rows = [
        (artifact["format"], f"{artifact['size_bytes'] / 1e6:,.1f} MB", agreed(artifact["agreement"]), _types(artifact))
        for artifact in result["artifacts"]
    ]
    print_table(rows, ("format", "size", "agreement", "tensors"))
    print_line(f"{view.task_id}: {result['path']} in {result['seconds']:.0f} s")
    print_line(f"next: brewslm deploy create --export {view.task_id}")


def agreed(share: float | None) -> str:
    """An agreement as a person reads it."""
    return "" if share is None else f"{100 * share:.1f} %"


def _types(artifact: dict[str, dict[str, int]]) -> str:
    return " · ".join(f"{kind} {count}" for kind, count in sorted(artifact["tensor_types"].items()))
