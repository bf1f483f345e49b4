"""brewslm train."""

from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from brewslm.cli.console import Detach, Json, actor, print_json, print_line, problems, progress_line, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView
    from brewslm.stages.contract import PlanName
    from brewslm.stages.train.sinks import SinkName

BaseModel = Annotated[
    str | None, typer.Option("--base-model", help="pypi:<name>, path:<folder>, or path:<file>.gguf; the project's when left out.")
]
RecipeName = Annotated[str | None, typer.Option("--recipe", help="A preset recipe; the task profile's own when left out.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one number of the recipe; repeatable.")]
EvalPackName = Annotated[str, typer.Option("--eval-pack", help="Whose gates the evaluation will be held against.")]
ManifestVersion = Annotated[
    int | None, typer.Option("--manifest", help="Version of the data manifest; the newest when left out.")
]
ExportFormats = Annotated[
    list[str] | None, typer.Option("--format", help="A format to export later, such as gguf-q8_0 or awq; repeatable.")
]
TimeoutMinutes = Annotated[float | None, typer.Option(min=0.001, help="End the run after this time; it can be resumed.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(train)
    app.command()(reproduce)


def train(
    context: typer.Context,
    project: Annotated[int | None, typer.Option("--project", help="The project's number; see brewslm project list.")] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="EXP", help="Go on with a run that was cut off, such as exp-1.")
    ] = None,
    base_model: BaseModel = None,
    recipe: RecipeName = None,
    set_: Set = None,
    manifest: ManifestVersion = None,
    eval_pack: EvalPackName = "general",
    timeout_minutes: TimeoutMinutes = None,
    fail_open: Annotated[
        bool, typer.Option("--fail-open", help="Let preflight's blockers pass as warnings where training is possible.")
    ] = False,
    plan: Annotated[
        str | None, typer.Option(help="safe, balanced or max_quality: change the recipe as brewslm preflight shows.")
    ] = None,
    export_formats: ExportFormats = None,
    log_to: Annotated[
        str | None, typer.Option(help="tensorboard or mlflow: write the trace for it too, into the experiment's folder.")
    ] = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Train on the prepared rows; preflight runs first."""
    if resume is not None:
        _refuse_all_but(("resume", "timeout_minutes", "detach", "json"), context, f"{resume} goes on as it was begun")
        _resume(resume, json, detach, timeout_minutes)
        return
    if project is None:
        raise typer.BadParameter("name a --project, or a run to --resume")
    from brewslm.stages.train import TrainRequest

    request = TrainRequest(
        project=project, base_model=base_model, recipe=recipe, settings=settings_of(set_), manifest_version=manifest,
        eval_pack=eval_pack, timeout_minutes=timeout_minutes, fail_open=fail_open, plan=_plan(plan), log_to=_sink(log_to),
        export_formats=tuple(export_formats) if export_formats else None,
    )  # fmt: skip
    run_operation(request, json, show_training, detach=detach)


def _refuse_all_but(taken: tuple[str, ...], context: typer.Context, why: str) -> None:
    """Options that were given and would be passed over in silence are named."""
    given = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name not in taken and source is not None and source.name == "COMMANDLINE":
            given.append(parameter.opts[0])
    if given:
        raise typer.BadParameter(f"{why}; leave out {', '.join(given)}")


def _resume(run_id: str, json: bool, detach: bool, timeout_minutes: float | None) -> None:
    from brewslm.pipeline import execute

    with problems(json):
        operation = execute.look(run_id).operation
        if operation != "train.run":
            raise typer.BadParameter(f"{run_id} is of {operation}; go on with it by  brewslm task resume {run_id}")
        execute.resume(actor(), run_id, detach=detach, timeout_minutes=timeout_minutes)
        if detach:
            view = execute.look(run_id)
        else:
            with progress_line(json) as on_progress:
                view = execute.perform(run_id, on_progress)
    if json:
        print_json(view.model_dump(mode="json"))
    elif detach:
        print_line(f"{run_id} is queued; follow it with  brewslm task show {run_id}")
    else:
        show_training(view)


def _plan(name: str | None) -> "PlanName | None":
    """One of the plans, spelt right."""
    from brewslm.errors import did_you_mean
    from brewslm.stages.contract import PlanName

    if name is not None and name not in get_args(PlanName):
        raise typer.BadParameter(f"--plan {name}: {did_you_mean(name, get_args(PlanName))}")
    return cast("PlanName | None", name)


def show_training(view: "RunView") -> None:
    """What training left."""
    result = view.result or {}
    dev = "" if result["best_dev_loss"] is None else f", dev loss {result['best_dev_loss']:.3f} at step {result['best_step']}"
    print_line(
        f"{view.task_id}: {result['trained_rows']:,} rows, {result['steps']} steps, loss {result['final_train_loss']:.3f}{dev}, "
        f"{result['real_tokens_per_second']:.0f} tok/s, {result['peak_memory_bytes'] / 2**30:.1f} GB"
    )
    for reason, count in result["ledger"]["rejected"].items():
        print_line(f"  {count:,} rows rejected: {reason}")


def _sink(name: str | None) -> "SinkName | None":
    """One of the sinks, spelt right."""
    from brewslm.errors import did_you_mean
    from brewslm.stages.train.sinks import SinkName

    if name is not None and name not in get_args(SinkName):
        raise typer.BadParameter(f"--log-to {name}: {did_you_mean(name, get_args(SinkName))}")
    return cast("SinkName | None", name)


def reproduce(
    experiment: Annotated[str, typer.Argument(help="A trained experiment, such as exp-1.")],
    timeout_minutes: TimeoutMinutes = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Train an experiment again from its record, beside it, and compare the weights; exit 1 when they are others."""
    from brewslm.stages.train import ReproduceRequest

    request = ReproduceRequest(experiment=experiment, timeout_minutes=timeout_minutes)
    view = run_operation(request, json, show_reproduction, detach=detach)
    if view.result and not view.result["reproduced"]:
        raise typer.Exit(1)


def show_reproduction(view: "RunView") -> None:
    """Whether it is the same, and if not, from where on and what is otherwise here."""
    result = view.result or {}
    same = "the same weights, byte by byte" if result["reproduced"] else "other weights"
    print_line(f"{result['experiment_id']}: {same}, after {result['steps']} steps in {result['seconds']:.0f} s")
    print_line(f"  sha256 {result['adapter_sha256']}")
    if not result["reproduced"]:
        print_line(f"  it was  {result['expected_sha256']}")
        first = result["first_step"]
        print_line("  every step that was kept is equal" if first is None else f"  step {first} is the first that differs")
    for one in result["differs"]:
        print_line(f"  {one}")


def settings_of(given: list[str] | None) -> dict[str, str]:
    """`key=value` options as a mapping."""
    made = {}
    for one in given or []:
        key, equals, value = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set wants key=value, not {one}")
        made[key] = value
    return made
