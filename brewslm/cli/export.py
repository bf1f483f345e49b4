"""brewslm export."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import Detach, Json, print_json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from brewslm.observe.compression import CompressionView
    from brewslm.pipeline.runs import RunView
    from brewslm.stages.export.choosing import Variant

export_app = typer.Typer(help="Write the trained model as files that other programs run, each checked by running it.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(export_app, name="export")


@export_app.callback(invoke_without_command=True)
def export(
    context: typer.Context,
    experiment: Annotated[str, typer.Option(help="Such as exp-1.")] = "",
    format: Annotated[
        list[str] | None, typer.Option(help="A format, such as gguf-q8_0; gguf or all for several; repeatable.")
    ] = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Write the trained model as files that other programs run, each checked by running it."""
    if context.invoked_subcommand is not None:
        return
    if not experiment:
        raise typer.BadParameter("name the experiment, such as exp-1", param_hint="--experiment")
    from brewslm.stages.export import ExportRequest

    request = ExportRequest(experiment=experiment, formats=tuple(format)) if format else ExportRequest(experiment=experiment)
    run_operation(request, json, show, detach=detach)


@export_app.command()
def compare(
    export: Annotated[str, typer.Argument(help="Such as export-1.")],
    rows: Annotated[int | None, typer.Option(help="At most so many of the eval rows. All when left out.")] = None,
    max_mb: Annotated[float | None, typer.Option(help="The largest that its files may be.")] = None,
    max_memory_mb: Annotated[float | None, typer.Option(help="The most memory that it may take.")] = None,
    min_speed: Annotated[float | None, typer.Option(help="Tokens a second that it must write, one request at a time.")] = None,
    min_quality: Annotated[float | None, typer.Option(help="What the task's metric must be (or at most be).")] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure, though it was measured before.")] = False,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Measure each variant of an export once, and say which to take under a limit of size, memory, speed or quality."""
    from brewslm.errors import StageError
    from brewslm.observe.compression import compression
    from brewslm.reasons.refusals import NotCompared
    from brewslm.stages.export.choosing import Limits
    from brewslm.stages.export.compare import CompareRequest

    limits = Limits(max_mb=max_mb, max_memory_mb=max_memory_mb, min_tokens_per_second=min_speed, min_quality=min_quality)
    with problems(json):
        try:
            found = None if again or rows is not None else compression(export, limits)
        except StageError as error:
            if not isinstance(error.reason, NotCompared):
                raise
            found = None
    if found is None:
        run_operation(CompareRequest(export=export, rows=rows), json and detach, lambda _view: None, detach=detach)
        if detach:
            return
        with problems(json):
            found = compression(export, limits)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        show_compression(found)


def show_compression(found: "CompressionView") -> None:
    """One line for each variant, and which to take."""
    rows = [_line(one, found) for one in found.variants]
    header = (
        "variant", "size", "bits/weight", "KL", found.metric, f"to {found.reference}", "writes/s", "reads/s", "memory",
    )  # fmt: skip
    print_table(rows, header)
    print_line(f"{found.n} eval rows; * is on the frontier of size, speed and nearness; KL in nats a token, to the trained model")
    for name, why in found.skipped.items():
        print_line(f"not measured: {name}: {why}")
    taken = found.recommendation
    print_line(f"take {taken.variant}: {taken.why}" if taken.variant else f"take none: {taken.why}")
    for name, why in taken.left_out.items():
        print_line(f"  {name}: {why}")


def _line(one: "Variant", found: "CompressionView") -> tuple[str, ...]:
    apart = "" if one.difference is None else f"{one.difference.value:+.3f}{' worse' if one.worse else ''}"
    memory = "" if one.peak_memory_bytes is None else f"{one.peak_memory_bytes / 1e6:,.0f} MB"
    metric = f"{one.metric.value:.3f} ({one.metric.low:.3f} to {one.metric.high:.3f})"
    name = one.variant + (" *" if one.variant in found.pareto else "")
    size, bits = f"{one.size_bytes / 1e6:,.1f} MB", f"{one.bits_per_weight:.2f}"
    pace = (_whole(one.writes_per_second), _whole(one.reads_per_second))
    return (name, size, bits, _short(one.kl), metric, apart, *pace, memory)


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def show(view: "RunView") -> None:
    """One line for each artifact."""
    result = view.result or {}
    rows = [_made(artifact) for artifact in result["artifacts"]]
    print_table(rows, ("format", "size", "agreement", "KL", "tensors"))
    print_line(f"{view.task_id}: {result['path']} in {result['seconds']:.0f} s")
    print_line(f"next: brewslm deploy create --export {view.task_id}")


def _made(artifact: dict[str, Any]) -> tuple[str, ...]:
    size, near = f"{artifact['size_bytes'] / 1e6:,.1f} MB", _short(artifact.get("kl"))
    return (artifact["format"], size, agreed(artifact["agreement"]), near, _types(artifact))


def agreed(share: float | None) -> str:
    """An agreement as a person reads it."""
    return "" if share is None else f"{100 * share:.1f} %"


def _types(artifact: dict[str, Any]) -> str:
    return " · ".join(f"{kind} {count}" for kind, count in sorted(artifact["tensor_types"].items()))
