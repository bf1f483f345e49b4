"""brewslm audit verify, brewslm reasons; the other commands of audit are in timeline.py and explorer.py."""

from typing import Annotated

import typer

from brewslm.cli.console import Json, print_json, print_line, print_table, problems

audit_app = typer.Typer(
    help="The audit stream: every event of every stage, in a chain that can be verified.", no_args_is_help=True
)
OneProject = Annotated[int | None, typer.Option("--project", help="Of this project; of all when left out.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(audit_app, name="audit")
    app.command()(reasons)


@audit_app.command()
def verify(project: OneProject = None, json: Json = False) -> None:
    """Recompute the hash chain; exit 1 and name the event where it is broken."""
    from brewslm.observe.events import verification

    with problems(json):
        found = verification(project)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        print_line(f"{found.events:,} events were read; {found.gaps:,} could not be written at their time")
        for fault in found.faults:
            event = f"event {fault.event_id}" if fault.event_id is not None else "no event"
            print_line(f"project {fault.project_id}, sequence {fault.sequence} ({event}): {fault.what}")
        if not found.faults:
            print_line("the chain is whole")
    raise typer.Exit(1 if found.faults else 0)


def reasons(json: Json = False) -> None:
    """List every reason code, of runs and of rows, with its meaning and its remedy."""
    from brewslm.observe.reasons import every_reason

    found = every_reason()
    if json:
        print_json([reason.model_dump(mode="json") for reason in found])
        return
    runs = [(one.code, one.stage or "", one.severity or "", one.meaning) for one in found if one.kind == "run"]
    print_table(runs, ("code of a run", "stage", "severity", "meaning"))
    print_line("")
    print_table(
        [(one.code, one.meaning, one.remedy) for one in found if one.kind == "row"], ("code of a row", "meaning", "remedy")
    )
