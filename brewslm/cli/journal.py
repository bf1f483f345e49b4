"""brewslm journal: where one stands, and what was done on a day; brewslm journal achievements."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, print_json, print_line, print_table, problems

if TYPE_CHECKING:
    from brewslm.observe.journal import Day, JournalView

journal_app = typer.Typer(help="The Lab Journal: what was done, day by day, and what it earned.", invoke_without_command=True)
OneProject = Annotated[int | None, typer.Option("--project", help="Of this project; of all when left out.")]


def day_of(said: str) -> date:
    """A day as it is typed."""
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise typer.BadParameter(f"{said} is no day; such as 2026-11-30") from None


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(journal_app, name="journal")


@journal_app.callback()
def journal(
    context: typer.Context,
    project: OneProject = None,
    day: Annotated[
        date | None, typer.Option(parser=day_of, metavar="YYYY-MM-DD", help="This day; the newest when left out.")
    ] = None,
    zone: Annotated[str, typer.Option(help="Whose days, such as Europe/Berlin; experience always goes by UTC.")] = "UTC",
    json: Json = False,
) -> None:
    """Show level, streak and newest achievements, and a day of the diary."""
    if context.invoked_subcommand is not None:
        return
    from brewslm.observe.journal import diary
    from brewslm.observe.journal import journal as standing

    with problems(json):
        found, page = standing(project, zone), diary(project, day=day, zone=zone)
    if json:
        print_json({"journal": found.model_dump(mode="json"), "day": page.model_dump(mode="json")})
    else:
        _print(found, page)


@journal_app.command()
def achievements(project: OneProject = None, json: Json = False) -> None:
    """List achievements: those that are unlocked, then those to come."""
    from brewslm.observe.journal import achievements as every

    with problems(json):
        found = every(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = [
        (
            "✓" if one.at else "·",
            one.title,
            one.what or "?",
            (one.at or "")[:10] or f"{one.done:,}/{one.times:,}",
            str(one.experience),
        )
        for one in found
    ]
    print_table([tuple(row) for row in rows], ("", "achievement", "for", "when", "points"))


def _print(found: "JournalView", page: "Day") -> None:
    print_line(f"level {found.level}, {found.title}: {found.experience:,} points; the next at {found.next_level:,}")
    if found.last_day:
        streak = "1 day" if found.streak == 1 else f"{found.streak} days in a row"
        print_line(f"streak: {streak}, to {found.last_day} ({found.zone}); the longest {found.longest_streak}")
    print_line(f"achievements: {found.unlocked} of {found.achievements}")
    for one in found.newest:
        print_line(f"  {(one.at or '')[:10]}  {one.title}: {one.what}")
    earned = f", {page.experience:,} points" if page.experience else ""
    print_line(f"{page.day} ({page.zone}){earned}")
    for entry in page.entries:
        more = f" ({entry.more:,})" if entry.more else ""
        points = f"  +{entry.experience}" if entry.experience else ""
        unlocked = f"  unlocked: {', '.join(entry.unlocked)}" if entry.unlocked else ""
        print_line(f"  {entry.at}  {entry.said}{more}{points}{unlocked}")
    if not page.entries:
        print_line("  nothing happened")
    if page.left_out:
        print_line(f"  {page.left_out:,} more events are not told")
    if page.before:
        print_line(f"the day before with an event: --day {page.before}")
