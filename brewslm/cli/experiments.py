"""brewslm experiment list: training runs, a page at a time."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, ProjectOption, print_json, print_line, print_table, problems

if TYPE_CHECKING:
    from brewslm.observe.trainings import TrainingView

experiment_app = typer.Typer(help="Experiments: the training runs of a project.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(experiment_app, name="experiment")


@experiment_app.callback()
def _group() -> None:
    """So that the one command keeps its name."""


@experiment_app.command("list")
def listed(
    project: ProjectOption,
    before: Annotated[int | None, typer.Option("--before", min=1, help="Those with a smaller number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """List training runs, newest first: what each was told, its loss, and its newest measurement."""
    from brewslm.observe.trainings import trainings

    with problems(json):
        found = trainings(project, before, limit)
    if json:
        print_json(found.model_dump(mode="json"))
    elif not found.runs:
        print_line("no training run; begin one with  brewslm train --project " + str(project))
    else:
        print_table([_line(one) for one in found.runs], ("experiment", "state", "recipe", "loss", "measured", "gates"))
        if found.older is not None:
            print_line(f"{len(found.runs)} of {found.total:,}; the older ones:  --before {found.older}")


def _line(one: "TrainingView") -> tuple[str, ...]:
    newest = one.newest
    measured = f"{newest.metric_id} {newest.metric.value:.3f}" if newest and newest.metric and newest.metric_id else ""
    gates = "" if newest is None else "promotable" if newest.promotable else "not met"
    recipe = one.recipe.id if one.recipe else ""
    return one.id, one.task.state, recipe, "" if one.loss is None else f"{one.loss:.3f}", measured, gates
