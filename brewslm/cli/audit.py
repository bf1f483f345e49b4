"""brewslm audit verify|head|lint, brewslm reasons; the other commands of audit are in timeline.py and explorer.py."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, print_json, print_line, print_table, problems

if TYPE_CHECKING:
    from brewslm.audit import Head

audit_app = typer.Typer(
    help="The audit stream: every event of every stage, in a chain that can be verified.", no_args_is_help=True
)
OneProject = Annotated[int | None, typer.Option("--project", help="Of this project; of all when left out.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(audit_app, name="audit")
    app.command()(reasons)


@audit_app.command()
def verify(
    project: OneProject = None,
    head: Annotated[Path | None, typer.Option(help="A file of brewslm audit head, to hold its chain against.")] = None,
    json: Json = False,
) -> None:
    """Recompute the hash chain; exit 1 and name the event where it is broken."""
    from brewslm.observe.chains import verification

    with problems(json):
        kept = [_head_of(head)] if head else []
        found = verification(kept[0].project if kept and project is None else project, kept)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        back = f", of which {len(found.waiting):,} will come back" if found.gaps else ""
        print_line(f"{found.events:,} events were read; {found.gaps:,} could not be written at their time{back}")
        for gap in found.waiting:
            print_line(f"{gap.severity}: {gap.reason_code}: {gap.lost_code} of {gap.ts} could not be written yet: {gap.error}")
        for fault in found.faults:
            event = f"event {fault.event_id}" if fault.event_id is not None else "no event"
            print_line(f"{fault.kind}: project {fault.project_id}, sequence {fault.sequence} ({event}): {fault.what}")
        if not found.faults:
            print_line("the chain is whole")
    raise typer.Exit(1 if found.faults else 0)


def _head_of(file: Path) -> "Head":
    from pydantic import ValidationError

    from brewslm.audit import Head
    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest

    try:
        return Head.model_validate_json(file.read_bytes())
    except OSError as error:
        cause = error.strerror or type(error).__name__
    except ValidationError:
        cause = "it is not what brewslm audit head prints"
    raise StageError(InvalidRequest(), "The head can't be read", where=str(file), cause=cause, next_step="Name another --head.")


@audit_app.command("head")
def print_head(project: Annotated[int, typer.Option("--project", help="Of this project; 0 of what belongs to none.")]) -> None:
    """Print the head of a project's chain as JSON: keep it elsewhere, and verify against it later."""
    from brewslm.observe.chains import chain_head

    with problems(json=False):
        print_json(chain_head(project).model_dump(mode="json"))


@audit_app.command()
def lint() -> None:
    """Name every place of the source that breaks a rule of the event stream; exit 1 when there is any."""
    from brewslm.audit.lint import TESTS
    from brewslm.audit.lint import problems as broken_rules
    from brewslm.reasons import REGISTRY

    found = broken_rules()
    for problem in found:
        print_line(problem)
    seen = "" if TESTS.exists() else "; the tests are not at hand, so that nothing is said of them"
    print_line(f"audit lint: {len(REGISTRY)} reasons, {len(found)} problems{seen}")
    raise typer.Exit(1 if found else 0)


def reasons(
    code: Annotated[str | None, typer.Argument(help="This one alone, with all that is known of it.")] = None, json: Json = False
) -> None:
    """List every reason code, of runs and of rows, with its meaning, its likely causes and its remedy."""
    from brewslm.observe.reasons import every_reason

    found = [one for one in every_reason() if code in (None, one.code)]
    if not found:
        raise typer.BadParameter(f"{code} is no reason code: see brewslm reasons")
    if json:
        print_json([reason.model_dump(mode="json") for reason in found])
        return
    if code is not None:
        for one in found:
            told = [("code", one.code), ("stage", one.stage or "a row's"), ("severity", one.severity or "")]
            told += [("meaning", one.meaning), ("likely causes", "; ".join(one.causes)), ("what to do", one.remedy)]
            told += [("payload", ", ".join(f"{name}: {kind}" for name, kind in one.types.items()))]
            print_table([(name, words) for name, words in told if words])
        return
    runs = [one for one in found if one.kind == "run"]
    print_table(
        [(one.code, one.stage or "", one.severity or "", one.meaning, "; ".join(one.causes)) for one in runs if one.is_event],
        ("code of an event", "stage", "severity", "meaning", "likely causes"),
    )
    print_line("")
    print_table(
        [(one.code, one.stage or "", one.meaning, one.remedy) for one in runs if not one.is_event],
        ("code of a refusal", "stage", "meaning", "what to do"),
    )
    print_line("")
    print_table(
        [(one.code, one.meaning, one.remedy) for one in found if one.kind == "row"], ("code of a row", "meaning", "what to do")
    )
