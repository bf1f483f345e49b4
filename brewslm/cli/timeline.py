"""brewslm audit tail|timeline|event: what happened, as a list, as a tree, and one event with all that it leads to."""

import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from brewslm.cli.audit import OneProject, audit_app
from brewslm.cli.console import Json, ProjectOption, print_json, print_line, print_table, problems

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from brewslm.audit.filters import CallFilter, EventFilter
    from brewslm.observe.events import EventDetail, EventView
    from brewslm.observe.timeline import RunNode

F = TypeVar("F", "EventFilter", "CallFilter")
_AGO = re.compile(r"(\d+)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(said: str) -> datetime:
    """A moment as it is typed: 2026-11-30, 2026-11-30T14:00, or 90m, 2h, 7d ago; in UTC where no zone is said."""
    ago = _AGO.fullmatch(said)
    if ago is not None:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        raise typer.BadParameter(f"{said} is no moment; such as 2026-11-30T14:00, or 2h for two hours ago") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


StageOption = Annotated[str | None, typer.Option("--stage", help="Of this stage alone.")]
SeverityOption = Annotated[str | None, typer.Option("--severity", help="Of this severity alone.")]
RunOption = Annotated[str | None, typer.Option("--run", help="Of this run, and of what ran under it.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="With this reason code alone.")]
ActorOption = Annotated[str | None, typer.Option("--actor", help="Caused by this actor, such as cli:ana.")]
Since = Annotated[
    datetime | None, typer.Option("--since", parser=moment, metavar="WHEN", help="From then on: 2026-11-30T14:00, or 2h ago.")
]
Until = Annotated[datetime | None, typer.Option("--until", parser=moment, metavar="WHEN", help="Before then.")]
TextOption = Annotated[
    str | None, typer.Option("--text", help="Words of the code, actor, runs and payload; oom* for what begins so.")
]
Saved = Annotated[str | None, typer.Option("--filter", help="A saved filter; what is said besides goes before it.")]
After = Annotated[int | None, typer.Option("--after", help="Those after this id.")]
Before = Annotated[int | None, typer.Option("--before", help="Those before this id.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")]


def register(app: typer.Typer) -> None:
    """Add these commands to those of audit."""


def filtered(kind: type[F], saved: str | None, **said: Any) -> F:
    """The filter that the options say, on top of a saved one.

    Raises:
        typer.BadParameter: A value is not one that can be asked for.
        StageError(UnknownFilter): There is no such saved filter.
    """
    from pydantic import ValidationError

    from brewslm.observe.savedfilters import with_saved

    try:
        wanted = kind.model_validate({name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        raise typer.BadParameter("; ".join(map(_refused, error.errors()))) from None
    return with_saved(wanted, saved)


def _refused(error: "ErrorDetails") -> str:
    """Of a choice, what there is to choose from."""
    option = f"--{error['loc'][0]}".replace("_", "-")
    expected = error.get("ctx", {}).get("expected") if error["type"] == "enum" else None
    if expected is None:
        return f"{option}: {error['msg']}"
    return f"{option}: there is no {error['input']}; there are {expected.replace(chr(39), '')}"


@audit_app.command()
def tail(
    project: OneProject = None,
    stage: StageOption = None,
    severity: SeverityOption = None,
    run: RunOption = None,
    code: CodeOption = None,
    actor: ActorOption = None,
    since: Since = None,
    until: Until = None,
    text: TextOption = None,
    saved: Saved = None,
    after: After = None,
    before: Before = None,
    limit: Limit = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Then print each event as it is written, until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """Print the newest events, oldest first; with -f go on as they are written (--json: one object a line)."""
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.events import events

    with problems(json):
        wanted = filtered(
            EventFilter, saved, project=project, stage=stage, severity=severity, run=run, code=code, actor=actor, since=since,
            until=until, text=text,
        )  # fmt: skip
        found = events(wanted=wanted, after=after, before=before, limit=1 if follow else limit)  # refuses what is not there
        if follow:
            _follow(wanted, after, limit, json)
            return
    if json:
        print_json([event.model_dump(mode="json") for event in found])
    elif found:
        print_table([_line(event) for event in found], ("id", "time (UTC)", "stage", "severity", "reason", "run", "payload"))
    else:
        print_line("no event yet" if wanted == EventFilter(project=project) else "no event fits")


def _follow(wanted: "EventFilter", after: int | None, limit: int, json: bool) -> None:
    """Until Ctrl-C, or until nobody reads any more: either is a good end."""
    from brewslm.observe.following import follow

    try:
        for event in follow(wanted, after, limit):
            print(event.model_dump_json() if json else "  ".join(_line(event)), flush=True)
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        sys.stdout = None  # the interpreter would complain once more at its end


def _line(event: "EventView") -> tuple[str, ...]:
    run = event.run_id or ""
    if event.parent_run_id:
        run = f"{event.parent_run_id} › {run}"
    payload = "  ".join(f"{name}={value}" for name, value in event.payload.items() if not isinstance(value, dict | list))
    return (str(event.id), event.ts[:19].replace("T", " "), event.stage, event.severity, event.reason_code, run, payload)


@audit_app.command()
def timeline(
    project: ProjectOption,
    stage: StageOption = None,
    severity: SeverityOption = None,
    run: RunOption = None,
    code: CodeOption = None,
    actor: ActorOption = None,
    since: Since = None,
    until: Until = None,
    text: TextOption = None,
    saved: Saved = None,
    after: After = None,
    before: Before = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="At most so many trees.")] = 10,
    json: Json = False,
) -> None:
    """Print the project's runs as trees, newest first: each run's events under it, and what ran as its part."""
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.timeline import timeline as trees

    with problems(json):
        wanted = filtered(
            EventFilter,
            saved,
            stage=stage,
            severity=severity,
            run=run,
            code=code,
            actor=actor,
            since=since,
            until=until,
            text=text,
        )
        found = trees(project, wanted=wanted, after=after, before=before, limit=limit)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    for tree in found.trees:
        for line in _branch(tree, 0):
            print_line(line)
    if not found.trees:
        print_line("no event fits")
    if found.older is not None:
        print_line(f"older:  --before {found.older}")
    if found.newer is not None:
        print_line(f"newer:  --after {found.newer}")


def _branch(node: "RunNode", depth: int) -> Iterable[str]:
    indent = "  " * depth
    if node.run is not None:
        marks = [f"{count:,} {severity}" for severity, count in node.severities.items() if severity != "info"]
        yield "  ".join([f"{indent}{node.run}", *(said for said in (node.operation, node.state) if said), *marks])
        depth, indent = depth + 1, indent + "  "
    left_out = node.fitting - len(node.events)
    if left_out:
        yield f"{indent}and {left_out:,} before these:  brewslm audit tail --run {node.run}"
    for event in node.events:
        sign = "" if event.severity == "info" else f"  {event.severity}"
        yield f"{indent}{event.id}  {event.ts[:19].replace('T', ' ')}  {event.reason_code}{sign}"
    for part in node.parts:
        yield from _branch(part, depth)


@audit_app.command("event")
def show_event(event_id: Annotated[int, typer.Argument(help="Its id; see brewslm audit tail.")], json: Json = False) -> None:
    """Show one event: payload, meaning, likely causes, what to do, and where its run, log and rows are."""
    from brewslm.observe.events import event

    with problems(json):
        found = event(event_id)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    for line in _told(found):
        print_line(line)


def _told(event: "EventDetail") -> Iterable[str]:
    yield f"{event.id}  {event.reason_code}  {event.severity}  {event.stage}  {event.ts[:19].replace('T', ' ')} UTC"
    yield f"  {event.meaning or 'This version does not know this code.'}"
    yield f"  by {event.actor}, project {event.project}, number {event.sequence:,} of its chain"
    for name, value in event.payload.items():
        yield f"  {name}: {value}"
    if event.causes:
        yield "likely causes"
        yield from (f"  {cause}" for cause in event.causes)
    if event.problem:
        yield f"its run's problem: {event.problem['title']}: {event.problem['code']}"
        yield f"  {event.problem['detail']}"
    if event.remedy:
        yield f"next: {event.remedy}"
    for lead in event.leads:
        yield f"{lead.what + ':':<15}{lead.command}"
    yield f"hash:          {event.hash}"
