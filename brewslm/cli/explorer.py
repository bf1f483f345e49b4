"""brewslm audit calls|export|filter: who asked for what, exports of calls and events, and filters that are kept."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.audit import OneProject, audit_app
from brewslm.cli.console import Json, print_json, print_line, print_table, problems, run_operation
from brewslm.cli.timeline import (
    ActorOption,
    After,
    Before,
    CodeOption,
    Limit,
    RunOption,
    Saved,
    SeverityOption,
    Since,
    StageOption,
    TextOption,
    Until,
    filtered,
)

if TYPE_CHECKING:
    from brewslm.observe.explorer import CallView, Facets
    from brewslm.pipeline.runs import RunView

filter_app = typer.Typer(help="Filters of events and calls that are kept under a name.", no_args_is_help=True)
Operation = Annotated[str | None, typer.Option("--operation", help="Of this operation, such as train.run.")]
FaceOption = Annotated[str | None, typer.Option("--face", help="Through cli, api, web, schedule or python.")]
Outcome = Annotated[str | None, typer.Option("--outcome", help="accepted, resumed, or the code of a refusal.")]
Ended = Annotated[str | None, typer.Option("--ended", help="Whose run stands so: succeeded, failed, cancelled, …")]
RequestId = Annotated[str | None, typer.Option("--request-id", help="Of this request.")]


def register(app: typer.Typer) -> None:
    """Add these commands to those of audit."""
    audit_app.add_typer(filter_app, name="filter")


@audit_app.command()
def calls(
    project: OneProject = None,
    operation: Operation = None,
    actor: ActorOption = None,
    face: FaceOption = None,
    outcome: Outcome = None,
    ended: Ended = None,
    run: RunOption = None,
    request_id: RequestId = None,
    since: Since = None,
    until: Until = None,
    text: Annotated[str | None, typer.Option("--text", help="Parts of the actor, operation, run, request or outcome.")] = None,
    saved: Saved = None,
    after: After = None,
    before: Before = None,
    limit: Limit = 20,
    counts: Annotated[bool, typer.Option("--facets", help="How many there are of each, in place of the list.")] = False,
    json: Json = False,
) -> None:
    """Who asked for what, through which face, whether it was accepted, and how it ended; newest first."""
    from brewslm.audit.filters import CallFilter
    from brewslm.observe.explorer import calls as entries
    from brewslm.observe.explorer import facets

    with problems(json):
        wanted = filtered(
            CallFilter, saved, project=project, operation=operation, actor=actor, face=face, outcome=outcome, ended=ended,
            run=run, request_id=request_id, since=since, until=until, text=text,
        )  # fmt: skip
        if counts:
            _show_facets(facets(wanted), json)
            return
        found = entries(wanted=wanted, before=before, after=after, limit=limit)
    if json:
        print_json([entry.model_dump(mode="json") for entry in found])
    elif found:
        header = ("id", "time (UTC)", "actor", "face", "operation", "run", "outcome", "ended", "request")
        print_table([_call(entry) for entry in found], header)
    else:
        print_line("no call fits")


def _call(entry: "CallView") -> tuple[str, ...]:
    ended = " ".join(part for part in (entry.run_state, entry.problem) if part)
    when = f"{entry.ts:%Y-%m-%d %H:%M:%S}"
    return (
        str(entry.id), when, entry.actor, entry.face, entry.operation, entry.run_id or "", entry.outcome, ended,
        entry.request_id[:12],
    )  # fmt: skip


def _show_facets(found: "Facets", json: bool) -> None:
    if json:
        print_json(found.model_dump(mode="json"))
        return
    print_line(f"{found.total:,} calls")
    for name, counts in found.model_dump(exclude={"total"}).items():
        print_table(
            [(f"  {name if not place else ''}", value, f"{count:,}") for place, (value, count) in enumerate(counts.items())]
        )


@audit_app.command()
def export(
    of: Annotated[str, typer.Option("--of", help="events or calls.")] = "events",
    format: Annotated[str, typer.Option("--format", help="jsonl, csv, parquet or cloudevents.")] = "jsonl",
    out: Annotated[Path | None, typer.Option("--out", help="Write this new file; to stdout when left out.")] = None,
    project: OneProject = None,
    stage: StageOption = None,
    severity: SeverityOption = None,
    code: CodeOption = None,
    operation: Operation = None,
    face: FaceOption = None,
    outcome: Outcome = None,
    run: RunOption = None,
    actor: ActorOption = None,
    since: Since = None,
    until: Until = None,
    text: TextOption = None,
    saved: Saved = None,
    json: Json = False,
) -> None:
    """Write events or calls to a file, oldest first, however many there are."""
    from brewslm.audit.filters import CallFilter, EventFilter
    from brewslm.observe.audit_export import MEDIA_TYPES, exported

    if format not in MEDIA_TYPES:
        raise typer.BadParameter(f"{format} is not one of {', '.join(MEDIA_TYPES)}", param_hint="--format")
    common = {"project": project, "run": run, "actor": actor, "since": since, "until": until, "text": text}
    of_events = {"stage": stage, "severity": severity, "code": code}
    of_calls = {"operation": operation, "face": face, "outcome": outcome}
    kinds: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
        "events": (EventFilter, of_events, of_calls), "calls": (CallFilter, of_calls, of_events),
    }  # fmt: skip
    if of not in kinds:
        raise typer.BadParameter(f"{of} is not one of {', '.join(kinds)}", param_hint="--of")
    kind, own, others = kinds[of]
    wrong = [f"--{name}" for name, value in others.items() if value is not None]
    if wrong:
        raise typer.BadParameter(f"{', '.join(wrong)} can't be asked of {of}")
    with problems(json):
        pieces = exported(filtered(kind, saved, **common, **own), format)
        if out is None:
            sys.stdout.buffer.writelines(pieces)
            sys.stdout.buffer.flush()
            return
        size = _write(out, pieces)
    if json:
        print_json({"out": str(out), "of": of, "format": format, "bytes": size})
    else:
        print_line(f"{size:,} bytes of {of} in {out}")


def _write(out: Path, pieces: Iterator[bytes]) -> int:
    """Write a new file, whole or not at all."""
    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest
    from brewslm.store.files import new_file

    if out.exists():
        cause, next_step = "it is there already", "Name a new file."
        raise StageError(InvalidRequest(), "the file was not written", where=str(out), cause=cause, next_step=next_step)
    try:
        with new_file(out) as file:
            return sum(file.write(piece) for piece in pieces)
    except OSError as error:
        raise StageError(InvalidRequest(), "the file was not written", where=str(out), cause=error.strerror or "") from error


@filter_app.command("save")
def save(
    name: Annotated[str, typer.Argument(help="Letters, digits, spaces, dots and hyphens.")],
    of: Annotated[str, typer.Option("--of", help="events or calls.")] = "events",
    settings: Annotated[list[str] | None, typer.Option("--set", help="Such as severity=error; may be repeated.")] = None,
    json: Json = False,
) -> None:
    """Keep a filter under a name, in place of the former one; use it with --filter."""
    from pydantic import ValidationError

    from brewslm.stages.saved_filters import SaveRequest

    pairs = dict(pair.partition("=")[::2] for pair in settings or [])
    try:
        request = SaveRequest(name=name, of=of, filter=pairs)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in error.errors())
        raise typer.BadParameter(said) from None
    run_operation(request, json, _show)


@filter_app.command("delete")
def delete(name: str, json: Json = False) -> None:
    """Forget a filter."""
    from brewslm.stages.saved_filters import DeleteRequest

    run_operation(DeleteRequest(name=name), json, lambda view: print_line(f"{name} is forgotten"))


@filter_app.command("list")
def listed(json: Json = False) -> None:
    """List the filters that were kept."""
    from brewslm.observe.savedfilters import saved_filters

    with problems(json):
        found = saved_filters()
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        rows = [(one.name, one.of, _said(one.filter), one.actor) for one in found]
        print_table(rows, ("name", "of", "filter", "kept by"))
    else:
        print_line("no filter yet; keep one with  brewslm audit filter save failures --set severity=error")


def _show(view: "RunView") -> None:
    result = view.result or {}
    print_line(f"{result['name']} filters {result['of']} by {_said(result['filter'])}")


def _said(kept: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in kept.items()) or "nothing"
