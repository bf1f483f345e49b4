"""brewslm deploy create|promote|reject|rollback|list|targets|key."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import (
    Detach,
    Json,
    ProjectOption,
    actor,
    print_json,
    print_line,
    print_table,
    problems,
    run_operation,
)  # fmt: skip
from brewslm.cli.train import settings_of

if TYPE_CHECKING:
    from brewslm.observe.deployments import DeploymentView
    from brewslm.pipeline.runs import RunView

deploy_app = typer.Typer(help="Deployments: which exported model answers.", no_args_is_help=True)
Deployment = Annotated[int, typer.Argument(help="The deployment's number; see brewslm deploy list.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(deploy_app, name="deploy")


@deploy_app.command()
def create(
    export: Annotated[str, typer.Option(help="Such as export-1.")],
    variant: Annotated[str | None, typer.Option(help="Which variant of it; left out, what the target serves best.")] = None,
    endpoint: Annotated[str, typer.Option(help="The name under which it will answer in the export's project.")] = "default",
    target: Annotated[str, typer.Option(help="What serves it; see brewslm deploy targets.")] = "local",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the target; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a version of an export, pending until it is promoted."""
    from brewslm.stages.deploy.changes import CreateRequest

    request = CreateRequest(export=export, variant=variant, endpoint=endpoint, target=target, settings=settings_of(set_))
    run_operation(request, json, _show)


@deploy_app.command("targets")
def list_targets(json: Json = False) -> None:
    """List what can serve an export, with its settings."""
    from brewslm.observe.deployments import targets

    found = targets()
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    for one in found:
        print_line(f"{one.name}  {one.meaning}")
        print_table([(f"  {name}", _default(of)) for name, of in one.settings.items()])


def _default(setting: dict[str, Any]) -> str:
    if "default" not in setting:
        return "needed"
    return f"{setting['default']} when left out" if setting["default"] not in ("", None) else ""


@deploy_app.command()
def key(
    name: Annotated[str, typer.Argument(help="What the version's settings call it: key=NAME.")], project: ProjectOption
) -> None:
    """Keep the key of an endpoint in the project: it is read from the terminal, unseen, or from a pipe.

    The key stands in one file that only this user may read; it goes into no table, event or bundle.
    """
    import sys

    from brewslm.pipeline.keys import keep_key

    said = typer.prompt(f"key {name}", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    with problems(json=False):
        keep_key(actor(), project, name, said)
    print_line(f"key {name} of project {project} is kept")


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
        rows = [_row(one) for one in found]
        print_table(rows, ("id", "endpoint", "version", "state", "serves", "target", "smoke check", "live at"))
    else:
        print_line("no deployment yet; create one with  brewslm deploy create --export export-1")


def _row(one: "DeploymentView") -> tuple[str, ...]:
    smoke = f"{one.smoke['same']} of {one.smoke['asked']} {one.smoke.get('by', 'tokens')}" if one.smoke else ""
    live = one.base_url or (f"can't start: {one.problem}" if one.problem else "")
    return str(one.id), one.slot, f"v{one.version}", one.state, f"{one.export}:{one.variant}", one.target, smoke, live


def _show(view: "RunView") -> None:
    """What changed, before → after."""
    result = view.result or {}
    asked = f"  {result['same']} of {result['asked']} {result['by']} as exported" if "asked" in result else ""
    name = f"deployment {result['deployment']} (v{result['version']})"
    print_line(f"{name}  {result['before'] or 'none'} → {result['after']}  endpoint {result['slot']}{asked}")
