"""brewslm failures list|show: failed runs, told together where they are one fault."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, print_json, print_line, print_table, problems

if TYPE_CHECKING:
    from brewslm.observe.clusters import FailureChange, FailureCluster, FailureClusterDetail
    from brewslm.observe.differences import FieldDifference

failures_app = typer.Typer(help="Failed runs of every stage, told together where they are one fault.", no_args_is_help=True)
OneProject = Annotated[int | None, typer.Option("--project", help="Of this project; of all when left out.")]
MOST_BARS = 14


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(failures_app, name="failures")


@failures_app.command("list")
def list_failures(
    project: OneProject = None,
    stage: Annotated[str | None, typer.Option(help="Of this stage alone.")] = None,
    code: Annotated[str | None, typer.Option(help="Of this reason code alone.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Of this day or moment (UTC) and later alone.")] = None,
    warnings: Annotated[bool, typer.Option("--warnings", help="Count warnings too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """List failure clusters, those that were met last first."""
    from brewslm.observe.clusters import clusters

    from_then = since.replace(tzinfo=UTC) if since else None
    with problems(json):
        found = clusters(project, stage=stage, code=code, since=from_then, warnings=warnings, limit=limit)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        header = ("cluster", "stage", "reason", "times", "last (UTC)", "trend", "still", "what")
        print_table([_line(one) for one in found], header)
    else:
        print_line("no failure yet")


@failures_app.command()
def show(cluster_id: Annotated[str, typer.Argument(metavar="ID")], project: OneProject = None, json: Json = False) -> None:
    """Show one cluster: where it comes from, its events, its trend, and what changed before the next success."""
    from brewslm.observe.clusters import cluster

    with problems(json):
        found = cluster(cluster_id, project)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _print(found)


def _line(one: "FailureCluster") -> tuple[str, ...]:
    what = one.exception or one.said
    return (
        one.id, one.stage, one.reason_code, f"{one.count:,}", _time(one.last_seen), one.trend, _still(one),
        what if len(what) <= 60 else f"{what[:59]}…",
    )  # fmt: skip


def _still(one: "FailureCluster") -> str:
    return {None: "?", True: "yes", False: "no"}[one.happening]


def _time(ts: str) -> str:
    return ts[:19].replace("T", " ")


def _print(one: "FailureClusterDetail") -> None:
    print_line(f"{one.id}  {one.stage}  {one.reason_code}: {one.meaning}")
    times = "once" if one.count == 1 else f"{one.count:,} times"
    print_line(f"  {times}, from {_time(one.first_seen)} to {_time(one.last_seen)} UTC")
    print_line(f"  projects {', '.join(map(str, one.projects))}; {one.trend}: {one.recent:,} in 7 days, {one.before:,} before")
    if one.happening is not None:
        print_line(f"  {'no run of its operation has' if one.happening else 'a run of its operation has'} succeeded since")
    if one.said:
        print_line(f"  {one.said}")
    if one.exception:
        print_line(f"  {one.exception}")
    for frame in one.frames:
        print_line(f"    {frame}")
    if one.remedy:
        print_line(f"  next: {one.remedy}")
    print_line(f"by {one.by}{', the newest' if len(one.series) > MOST_BARS else ''}")
    print_table([(f"  {bar.at}", f"{bar.count:,}") for bar in one.series[-MOST_BARS:]])
    print_line("events")
    print_table([(f"  {each.event}", _time(each.ts), each.run_id or "", each.actor, each.log or "") for each in one.exemplars])
    for change in one.changes:
        _print_change(change)


def _print_change(change: "FailureChange") -> None:
    how = "resumed, succeeded" if change.resumed else f"failed; {change.next_run} succeeded"
    print_line(f"project {change.project}: {change.failed_run} {how} at {change.succeeded_at:%Y-%m-%d %H:%M:%S} UTC")
    for name, found in (("request", change.request), ("job", change.job), ("environment", change.environment)):
        for one in found:
            print_line(f"  {name}  {_difference(one)}")
    if not (change.request or change.job or change.environment):
        print_line("  nothing that is kept of the two differs: not the request, the job, the versions or the machine")
    if change.left_out:
        print_line(f"  {change.left_out:,} more; --json has the first hundred of each")


def _difference(one: "FieldDifference") -> str:
    return f"{one.field}: {one.before} → {one.after}"
