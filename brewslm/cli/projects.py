"""brewslm project create|list|show."""

from typing import TYPE_CHECKING

import typer

from brewslm.cli.console import Json, print_json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

project_app = typer.Typer(help="Projects: a place for one team's data and models.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(project_app, name="project")


@project_app.command()
def create(name: str, json: Json = False) -> None:
    """Create a project."""
    from brewslm.stages.projects import CreateRequest

    def show(view: "RunView") -> None:
        print_line(f"project {view.project} was created: {name}")

    run_operation(CreateRequest(name=name), json, show)


@project_app.command("list")
def list_projects(json: Json = False) -> None:
    """List the projects."""
    from brewslm.observe.projects import projects

    found = [project.model_dump(mode="json") for project in projects()]
    if json:
        print_json(found)
    elif found:
        print_table([(str(p["id"]), p["name"]) for p in found], ("id", "name"))
    else:
        print_line("no project yet; create one with  brewslm project create NAME")


@project_app.command("show")
def show_project(project: int, json: Json = False) -> None:
    """Show one project."""
    from brewslm.observe.projects import project_view

    with problems(json):
        found = project_view(project)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        print_line(f"project {found.id}: {found.name}")
