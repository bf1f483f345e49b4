"""brewslm train."""

from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from brewslm.cli.console import Detach, Json, actor, print_json, print_line, problems, progress_line, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView
    from brewslm.stages.contract import PlanName

BaseModel = Annotated[
    str | None, typer.Option("--base-model", help="pypi:<name>, path:<folder>, or path:<file>.gguf; the project's when left out.")
]
RecipeName = Annotated[str | None, typer.Option("--recipe", help="A preset recipe; the task profile's own when left out.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one number of the recipe; repeatable.")]
EvalPackName = Annotated[str, typer.Option("--eval-pack", help="Whose gates the evaluation will be held against.")]
ManifestVersion = Annotated[
    int | None, typer.Option("--manifest", help="Version of the data manifest; the newest when left out.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(train)


def train(
    project: Annotated[int | None, typer.Option("--project", help="The project's number; see brewslm project list.")] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="EXP", help="Go on with a run that was cut off, such as exp-1.")
    ] = None,
    base_model: BaseModel = None,
    recipe: RecipeName = None,
    set_: Set = None,
    manifest: ManifestVersion = None,
    eval_pack: EvalPackName = "default",
    timeout_minutes: Annotated[float | None, typer.Option(help="End the run after this time; it can be resumed.")] = None,
    fail_open: Annotated[
        bool, typer.Option("--fail-open", help="Let preflight's blockers pass as warnings where training is possible.")
    ] = False,
    plan: Annotated[
        str | None, typer.Option(help="safe, balanced or max_quality: change the recipe as brewslm preflight shows.")
    ] = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Train an adapter on the prepared rows; preflight runs first."""
    if resume is not None:
        if project or base_model or recipe or set_ or manifest:
            raise typer.BadParameter(f"{resume} goes on as it was begun; leave every option but --resume out")
        _resume(resume, json)
        return
    if project is None:
        raise typer.BadParameter("name a --project, or a run to --resume")
    from brewslm.stages.train import TrainRequest

    request = TrainRequest(
        project=project, base_model=base_model, recipe=recipe, settings=settings_of(set_), manifest_version=manifest,
        eval_pack=eval_pack, timeout_minutes=timeout_minutes, fail_open=fail_open, plan=_plan(plan),
    )  # fmt: skip
    run_operation(request, json, show_training, detach=detach)


def _resume(run_id: str, json: bool) -> None:
    from brewslm.pipeline import execute

    with problems(json), progress_line(json) as on_progress:
        view = execute.perform(execute.resume(actor(), run_id), on_progress)
    if json:
        print_json(view.model_dump(mode="json"))
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


def settings_of(given: list[str] | None) -> dict[str, str]:
    """`key=value` options as a mapping."""
    made = {}
    for one in given or []:
        key, equals, value = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"--set wants key=value, not {one}")
        made[key] = value
    return made
