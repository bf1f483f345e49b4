"""brewslm deploy create|promote|reject|rollback|list."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Detach, Json, ProjectOption, print_json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

deploy_app = typer.Typer(help="Deployments: which exported model answers.", no_args_is_help=True)
Deployment = Annotated[int, typer.Argument(help="The deployment's number; see brewslm deploy list.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(deploy_app, name="deploy")


@deploy_app.command()
def create(
    export: Annotated[str, typer.Option(help="Such as export-1.")],
    variant: Annotated[str, typer.Option(help="Which GGUF variant of it.")] = "gguf-q8_0",
    endpoint: Annotated[str, typer.Option(help="The name under which it will answer in the export's project.")] = "default",
    json: Json = False,
) -> None:
    """Make a version of an export, pending until it is promoted."""
    from brewslm.stages.deploy.changes import CreateRequest

    run_operation(CreateRequest(export=export, variant=variant, endpoint=endpoint), json, _show)


@deploy_app.command()
def promote(deployment: Deployment, detach: Detach = False, json: Json = False) -> None:
    """Let a version answer: refused without a passing verdict, and without a live smoke check."""
    from brewslm.stages.deploy.promote import PromoteRequest

    run_operation(PromoteRequest(deployment=deployment), json, _show, detach=detach)


@deploy_app.command()
def reject(deployment: Deployment, json: Json = False) -> None:
    """Turn a pending version down."""
    from brewslm.stages.deploy.changes import RejectRequest

    run_operation(RejectRequest(deployment=deployment), json, _show)


@deploy_app.command()
def rollback(deployment: Deployment, detach: Detach = False, json: Json = False) -> None:
    """Take a promoted version back; the one before it answers again."""
    from brewslm.stages.deploy.rollback import RollbackRequest

    run_operation(RollbackRequest(deployment=deployment), json, _show, detach=detach)


@deploy_app.command("list")
def list_deployments(project: ProjectOption, json: Json = False) -> None:
    """List the project's versions, newest first."""
    from brewslm.observe.deployments import deployments

    with problems(json):
        found = deployments(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        rows = [(str(one.id), f"v{one.version}", one.state, one.export, one.variant, one.base_url or "") for one in found]
        print_table(rows, ("id", "version", "state", "export", "variant", "live at"))
    else:
        print_line("no deployment yet; create one with  brewslm deploy create --export export-1")


def _show(view: "RunView") -> None:
    """What changed, before → after."""
    result = view.result or {}
    asked = f"  {result['same']} of {result['asked']} tokens as exported" if "asked" in result else ""
    name = f"deployment {result['deployment']} (v{result['version']})"
    print_line(f"{name}  {result['before'] or 'none'} → {result['after']}  slot {result['slot']}{asked}")
