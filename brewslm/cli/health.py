"""brewslm health: what is wrong with a project's data."""

import typer

from brewslm.cli.console import Json, ProjectOption, print_json, print_line, problems

MARKS = {"ok": "ok   ", "warn": "warn ", "block": "block"}


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(health)


def health(project: ProjectOption, json: Json = False) -> None:
    """Tell what is wrong with the project's data, from import to manifest, and what to do about it."""
    from brewslm.observe.health import data_health

    with problems(json):
        report = data_health(project)
    if json:
        print_json(report.model_dump(mode="json"))
        return
    if not report.findings:
        print_line(f"no data yet; import some with  brewslm map --project {project} --locator LOCATOR --auto --commit")
    for group in dict.fromkeys(one.group for one in report.findings):
        print_line(group)
        for one in (found for found in report.findings if found.group == group):
            print_line(f"  {MARKS[one.severity.value]}  {one.said}")
            if one.next_step:
                shown = ", ".join(one.ids[:5]) + (f" and {one.count - 5:,} more" if one.count > 5 else "") if one.ids else ""
                if shown:
                    print_line(f"         which: {shown}")
                print_line(f"         next: {one.next_step}")
