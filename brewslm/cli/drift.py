"""brewslm deploy check|checks|schedule|schedules|pause-schedule|unschedule."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Detach, Json, ProjectOption, print_json, print_line, print_table, problems, run_operation
from brewslm.cli.deploy import Deployment, deploy_app

if TYPE_CHECKING:
    from brewslm.observe.drift import CheckView, ScheduleView
    from brewslm.pipeline.runs import RunView

GoldSet = Annotated[
    str | None, typer.Option(help="Ask these rows, such as support@2; left out, the set locked last, or else the eval rows.")
]
Tolerance = Annotated[float, typer.Option(min=0.0, help="0.01: one point of the figure, and one row in a hundred.")]
Rollback = Annotated[bool, typer.Option("--rollback", help="If it drifted, the version before it answers again.")]
SlotOption = Annotated[str, typer.Option(help="The name under which a version answers.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    deploy_app.command()(check)
    deploy_app.command()(checks)
    deploy_app.command("schedule")(set_schedule)
    deploy_app.command("schedules")(list_schedules)
    deploy_app.command("pause-schedule")(pause_schedule)
    deploy_app.command()(unschedule)


def check(
    deployment: Deployment,
    gold_set: GoldSet = None,
    tolerance: Tolerance = 0.01,
    rollback: Rollback = False,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Ask a live version its rows again, and say whether it answers worse than when it was promoted."""
    from pydantic import ValidationError

    from brewslm.stages.deploy.drift import CheckRequest

    try:
        request = CheckRequest(deployment=deployment, gold_set=gold_set, tolerance=tolerance, rollback=rollback)
    except ValidationError as error:
        raise typer.BadParameter(str(error.errors()[0]["msg"])) from error
    run_operation(request, json, _show_check, detach=detach)


def checks(
    project: ProjectOption,
    deployment: Annotated[int | None, typer.Option(help="Of this version alone.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 20,
    json: Json = False,
) -> None:
    """List the drift checks, newest first, those that could not be made among them."""
    from brewslm.observe.drift import checks as known

    with problems(json):
        found = known(project, deployment, limit)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        header = ("check", "when (UTC)", "version", "look", "rows", "figure", "was", "worse, better", "p", "verdict")
        print_table([_check_line(one) for one in found], header)
    else:
        print_line("no drift check yet; make one with  brewslm deploy check 1")


def set_schedule(
    project: ProjectOption,
    cron: Annotated[str, typer.Option(help='Such as "0 3 * * *": each night at three. Six fields begin with seconds.')],
    timezone: Annotated[str, typer.Option(help="In which the expression is read, such as Europe/Berlin.")] = "UTC",
    slot: SlotOption = "default",
    gold_set: GoldSet = None,
    tolerance: Tolerance = 0.01,
    rollback: Rollback = False,
    json: Json = False,
) -> None:
    """Check the version behind a slot whenever it is time, in place of the slot's former schedule."""
    from pydantic import ValidationError

    from brewslm.stages.deploy.schedule import ScheduleRequest

    try:
        request = ScheduleRequest(
            project=project, slot=slot, cron=cron, timezone=timezone, gold_set=gold_set, tolerance=tolerance, rollback=rollback
        )
    except ValidationError as error:
        raise typer.BadParameter(str(error.errors()[0]["msg"])) from error
    run_operation(request, json, _show_schedule)


def pause_schedule(
    project: ProjectOption,
    slot: SlotOption = "default",
    resume: Annotated[bool, typer.Option("--resume", help="Go on; what was due meanwhile is not made up for.")] = False,
    json: Json = False,
) -> None:
    """Let a schedule rest, or go on."""
    from brewslm.stages.deploy.schedule import PauseRequest

    run_operation(PauseRequest(project=project, slot=slot, paused=not resume), json, _show_schedule)


def unschedule(project: ProjectOption, slot: SlotOption = "default", json: Json = False) -> None:
    """Forget a slot's schedule; its checks stay."""
    from brewslm.stages.deploy.schedule import UnscheduleRequest

    run_operation(UnscheduleRequest(project=project, slot=slot), json, _show_schedule)


def list_schedules(project: ProjectOption, json: Json = False) -> None:
    """List when the project's deployments are checked, and how the newest check ended."""
    from brewslm.observe.drift import schedules

    with problems(json):
        found = schedules(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        print_table([_schedule_line(one) for one in found], ("slot", "cron", "next", "checks", "newest check", "missed"))
    else:
        print_line('no schedule yet; set one with  brewslm deploy schedule --project 1 --cron "0 3 * * *"')


def _schedule_line(one: "ScheduleView") -> tuple[str, ...]:
    following = "paused" if one.is_paused else f"{one.next_times[0]:%Y-%m-%d %H:%M:%S} {one.timezone}"
    checked = f"deployment {one.deployment}" if one.deployment else "nothing is promoted"
    newest = f"{one.last_run} {one.last_state}" if one.last_run else "none yet"
    return one.slot, one.cron, following, checked, newest, str(one.missed)


def _show_schedule(view: "RunView") -> None:
    """What is due next."""
    from datetime import datetime

    said = view.result or {}
    print_line(f"slot {said['slot']}  {said['cron']} ({said['timezone']})  {said['action']}")
    if said["next_times"]:
        due = ", ".join(f"{datetime.fromisoformat(one):%Y-%m-%d %H:%M:%S}" for one in said["next_times"])
        print_line(f"next: {due}, while brewslm serve or a worker runs")


def _check_line(one: "CheckView") -> tuple[str, ...]:
    when = f"{one.created_at:%Y-%m-%d %H:%M}"
    if one.look is None:
        return one.run, when, one.name, "", "", "", "", "", "", f"{one.verdict}: {one.problem}"
    figures = f"{one.metric} {100 * one.value:.1f} %", f"{100 * one.before:.1f} %", f"{one.worse}, {one.better}"
    return one.run, when, one.name, str(one.look), f"{one.n:,} of {one.rows_from}", *figures, f"{one.p_value:.2g}", one.verdict


def _show_check(view: "RunView") -> None:
    """What it found, what its rows could tell, and what was done."""
    said = view.result or {}
    name, figure = f"{said['slot']} v{said['version']}", f"{said['metric']} {100 * said['value']:.1f} %"
    print_line(f"{name}  look {said['look']}  {said['n']:,} of {said['of']:,} rows of {said['rows_from']}  {said['verdict']}")
    interval = f"({100 * said['low']:.1f} to {100 * said['high']:.1f})"
    if said["verdict"] == "reference":
        print_line(f"{figure} {interval}; the next checks are held against these answers")
        return
    print_line(f"{figure} {interval}, was {100 * said['before']:.1f} %; {said['worse']} rows got worse, {said['better']} better")
    held = f"p {said['p_value']:.2g}, drift at {said['alpha']:.2g} and below"
    print_line(f"{held}: {said['told_at']} worse rows would have said it, had none got better")
    if said["worse_rows"] and said["verdict"] == "drifted":
        print_line(f"worse: {' '.join(said['worse_rows'][:5])}  (brewslm row show ROW_ID)")
    if said["rollback"]:
        done = said["rollback"]
        print_line(f"rollback: {done['state']}{', ' + done['problem'] if done['problem'] else ''}  {done['run'] or ''}".rstrip())
