"""brewslm deploy create|plan|promote|reject|rollback|list|slots|targets|key|settings|stats."""

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
    from brewslm.observe.deployments import DeploymentView, SlotView
    from brewslm.observe.gateway import VersionStatistics
    from brewslm.pipeline.runs import RunView

deploy_app = typer.Typer(help="Deployments: which exported model answers.", no_args_is_help=True)
Deployment = Annotated[int, typer.Argument(help="The deployment's number; see brewslm deploy list.", show_default=False)]

SlotOption = Annotated[str, typer.Option(help="The slot's name.")]


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


@deploy_app.command("plan")
def show_plan(deployment: Deployment, json: Json = False) -> None:
    """Show what a version's target would launch elsewhere, such as its SkyPilot task, and what it lacks for that."""
    import sys

    from brewslm.observe.deployments import plan

    with problems(json):
        found = plan(deployment)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    print_line(found.plan.rstrip() or f"the target {found.target} launches nothing elsewhere")
    if found.lacking:
        print(f"note: {found.lacking}. {found.next_step}", file=sys.stderr)


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


@deploy_app.command("slots")
def list_slots(project: ProjectOption, json: Json = False) -> None:
    """List the names under which versions answer, and which one does now."""
    from brewslm.observe.deployments import slots

    with problems(json):
        found = slots(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        print_table([_slot(one) for one in found], ("slot", "answers", "serves", "versions", "pending"))
    else:
        print_line("no slot yet; a version makes one:  brewslm deploy create --export export-1")


def _slot(one: "SlotView") -> tuple[str, ...]:
    now = one.answering
    answers, serves = (f"v{now.version}", f"{now.export}:{now.variant}") if now else ("nothing", "")
    return one.name, answers, serves, str(one.versions), str(one.pending)


def _row(one: "DeploymentView") -> tuple[str, ...]:
    smoke = f"{one.smoke['same']} of {one.smoke['asked']} {one.smoke.get('by', 'tokens')}" if one.smoke else ""
    live = one.base_url or (f"can't start: {one.problem}" if one.problem else "")
    return str(one.id), one.slot, f"v{one.version}", one.state, f"{one.export}:{one.variant}", one.target, smoke, live


@deploy_app.command("settings")
def slot_settings(
    project: ProjectOption,
    slot: SlotOption = "default",
    in_flight: Annotated[int | None, typer.Option(help="Requests that are with the model server at a time.")] = None,
    waiting: Annotated[int | None, typer.Option(help="Requests that may wait; one more is refused with 429.")] = None,
    wait_seconds: Annotated[float | None, typer.Option(help="How long one waits for its turn, or for a server.")] = None,
    silence_seconds: Annotated[float | None, typer.Option(help="How long the model server may say nothing.")] = None,
    log_requests: Annotated[
        bool | None,
        typer.Option("--log-requests/--no-log-requests", help="Write what is asked and answered down, without personal data."),
    ] = None,
    log_megabytes: Annotated[int | None, typer.Option(help="The most that the log keeps.")] = None,
    json: Json = False,
) -> None:
    """Show how a slot's gateway behaves, or set what is named."""
    from brewslm.observe.gateway import slot_settings as shown
    from brewslm.stages.deploy.slot_settings import SlotSettingsRequest

    request = SlotSettingsRequest(
        project=project, slot=slot, in_flight=in_flight, waiting=waiting, wait_seconds=wait_seconds,
        silence_seconds=silence_seconds, log_requests=log_requests, log_megabytes=log_megabytes,
    )  # fmt: skip
    if request.given():
        run_operation(request, json, lambda view: _show_settings((view.result or {})["after"]))
        return
    with problems(json):
        found = shown(project, slot)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    _show_settings(found.settings.model_dump())
    if found.log_files:
        print_line(f"the log has {found.log_bytes / 2**20:.1f} MB in the project's folder: {', '.join(found.log_files)}")


@deploy_app.command()
def stats(
    project: ProjectOption,
    slot: Annotated[str | None, typer.Option(help="Only this slot.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Only the last days, today among them.")] = None,
    json: Json = False,
) -> None:
    """Show what the gateway counted of each version: requests, errors, latency, time to first token, tokens a second."""
    from brewslm.observe.gateway import version_statistics

    with problems(json):
        found = version_statistics(project, slot, days)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        header = ("version", "state", "requests", "errors", "latency p50/p95/p99", "first token p50/p95/p99", "tokens/s p50")
        print_table([_statistics(one) for one in found], header)
    else:
        print_line(f"no request yet; the address is  /serve/{project}/{slot or 'default'}/v1  of brewslm serve")


def _statistics(one: "VersionStatistics") -> tuple[str, ...]:
    found = one.statistics
    latency, first = (
        " / ".join("–" if value is None else f"{1000 * value:,.0f}" for value in (of.p50, of.p95, of.p99)) + " ms"
        for of in (found.latency_seconds, found.first_token_seconds)
    )
    speed = found.tokens_per_second.p50
    asked, name = (str(found.requests), str(found.errors)), f"{one.slot} v{one.version}"
    return (name, one.state, *asked, latency, first, "–" if speed is None else f"{speed:,.1f}")


def _show_settings(settings: dict[str, Any]) -> None:
    print_table([(name.replace("_", " "), str(value)) for name, value in settings.items()])


def _show(view: "RunView") -> None:
    """What changed, before → after."""
    result = view.result or {}
    asked = f"  {result['same']} of {result['asked']} {result['by']} as exported" if "asked" in result else ""
    name = f"deployment {result['deployment']} (v{result['version']})"
    print_line(f"{name}  {result['before'] or 'none'} → {result['after']}  endpoint {result['slot']}{asked}")
