"""brewslm project create|change|list|show."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, print_json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

project_app = typer.Typer(help="Projects: a place for one team's data and models.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(project_app, name="project")


@project_app.command()
def create(
    name: str,
    base_model: Annotated[str | None, typer.Option(help="pypi:<name>, made:<name>, path:<folder>, or path:<file>.gguf.")] = None,
    json: Json = False,
) -> None:
    """Create a project."""
    from brewslm.stages.projects import CreateRequest

    def show(view: "RunView") -> None:
        print_line(f"project {view.project} was created: {name}, for {(view.result or {})['base_model']}")

    run_operation(CreateRequest(name=name, base_model=base_model), json, show)


@project_app.command()
def change(
    project: int,
    base_model: Annotated[str, typer.Option(help="pypi:<name>, path:<folder>, or path:<file>.gguf.")],
    json: Json = False,
) -> None:
    """Give a project another base model; what was prepared for the former one must be prepared again."""
    from brewslm.stages.projects import ChangeRequest

    def show(view: "RunView") -> None:
        changed = view.result or {}
        print_line(f"project {project}: base model {changed['former_base_model']} → {changed['base_model']}")
        print_line(f"next: brewslm prepare --project {project}")

    run_operation(ChangeRequest(project=project, base_model=base_model), json, show)


@project_app.command("list")
def list_projects(json: Json = False) -> None:
    """List the projects."""
    from brewslm.observe.projects import projects

    found = [project.model_dump(mode="json") for project in projects()]
    if json:
        print_json(found)
    elif found:
        print_table([(str(p["id"]), p["name"], p["base_model"]) for p in found], ("id", "name", "base model"))
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
        used = f"data manifest v{found.active_manifest}" if found.active_manifest else "nothing prepared yet"
        print_line(f"project {found.id}: {found.name}, base model {found.base_model}, {used}")
