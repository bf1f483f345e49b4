"""brewslm status: the lifecycle map of one project."""

from datetime import datetime

import typer

from brewslm.cli.console import Json, ProjectOption, print_json, print_line, print_table, problems

MARKS = {
    "not_begun": "· not begun",
    "running": "● running",
    "done": "✓ done",
    "needs_you": "! needs you",
    "failed": "✗ failed",
}


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(status)


def status(project: ProjectOption, json: Json = False) -> None:
    """Show where the project stands: each stage, its figure, and the next best step."""
    from brewslm.observe.status import status as status_of

    with problems(json):
        found = status_of(project)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    print_line(f"project {found.project}: {found.name}")
    print_table(
        [
            (
                f"  {cell.number:02}",
                cell.title + (" (optional)" if cell.optional else ""),
                MARKS[cell.state],
                cell.figure,
                ago(cell.since),
            )
            for cell in found.stages
        ]
    )
    if found.gaps:
        print_line(f"{found.gaps:,} events could not be written: the stream has gaps")
    print_line(f"next: {found.next.command}\n      {found.next.reason}")


def ago(moment: datetime | None) -> str:
    """A moment as the time since, such as "4 min ago"; "" for none."""
    if moment is None:
        return ""
    seconds = int((datetime.now(moment.tzinfo) - moment).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"
