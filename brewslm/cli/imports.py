"""brewslm import list|undo|configs, brewslm rejected export|reimport."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import (
    Json,
    ProjectOption,
    actor,
    print_json,
    print_line,
    print_table,
    problems,
    progress_line,
    run_operation,
)
from brewslm.cli.data_views import counts, field_map, result_lines, short
from brewslm.cli.status import ago

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

import_app = typer.Typer(help="Imports: what was committed, and taking it back.", no_args_is_help=True)
rejected_app = typer.Typer(help="Rejected rows: out to be mended, and in again.", no_args_is_help=True)
ImportArgument = Annotated[str, typer.Argument(metavar="IMPORT", help="Such as import-3; see brewslm import list.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(import_app, name="import")
    app.add_typer(rejected_app, name="rejected")


@import_app.command("list")
def list_imports(project: ProjectOption, json: Json = False) -> None:
    """List the project's imports, oldest first."""
    from brewslm.observe.imports import imports

    with problems(json):
        found = imports(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        print_line("no import yet; next: brewslm map --project P --locator L --auto --commit")
        return
    rows: list[tuple[str, ...]] = []
    for one in found:
        state = f"undone by {one.undone_by}" if one.undone_by else f"mends {one.parent_import}" if one.parent_import else ""
        rejected = f"{one.rejected_count:,}{counts(one.rejection_counts)}"
        taken = f"{one.accepted_count:,}"
        rows.append((one.import_run, short(one.locator, 40), str(one.config_id), taken, rejected, ago(one.created_at), state))
    print_table(rows, ("import", "source", "config", "accepted", "rejected", "when", ""))


@import_app.command()
def undo(import_run: ImportArgument, json: Json = False) -> None:
    """Take an import's rows out again: they count no more, and can be imported anew."""
    from brewslm.stages.mapping.undo import UndoRequest

    def show(view: "RunView") -> None:
        result = view.result or {}
        print_line(f"{result['import_run']}: its {result['rows']:,} rows count no more ({view.task_id})")
        print_line(f"next: brewslm prepare --project {view.project}  makes a manifest without them")

    run_operation(UndoRequest(import_run=import_run), json, show)


@import_app.command()
def configs(project: ProjectOption, json: Json = False) -> None:
    """List the mappings that imports used; brewslm map --config N uses one again."""
    from brewslm.observe.imports import configs as found_configs

    with problems(json):
        found = found_configs(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = [(str(one.config_id), one.mapper, short(one.locator, 40), field_map(one.field_map)) for one in found]
    print_table(rows, ("config", "mapper", "first used for", "field map"))


@rejected_app.command()
def export(
    import_run: ImportArgument,
    reason: Annotated[list[str] | None, typer.Option("--reason", help="Only rows rejected for this; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this new file; to stdout when left out.")] = None,
) -> None:
    """Write the rejected rows as JSON lines: mend what stands under raw (or text), then reimport them."""
    from brewslm.observe.imports import as_lines, rejected_rows
    from brewslm.pipeline.mapping_choice import row_reasons

    with problems(json=False):
        chosen = {one.value for one in row_reasons(reason or [])}
        lines = as_lines(rejected_rows(import_run, chosen))
        if out is None:
            sys.stdout.buffer.writelines(lines)
            return
        count = _write(out, lines)
    print_line(f"{count:,} {'row' if count == 1 else 'rows'} in {out}")
    print_line(f"next: mend what stands under raw, then  brewslm rejected reimport {import_run} --file {out}")


@rejected_app.command()
def reimport(
    import_run: ImportArgument,
    file: Annotated[Path, typer.Option("--file", help="The mended lines of brewslm rejected export.")],
    json: Json = False,
) -> None:
    """Import mended rows with the mapping of the import that rejected them."""
    from brewslm.pipeline.mending import reimport as run_reimport

    with problems(json), progress_line(json) as on_progress:
        view = run_reimport(actor(), import_run, f"mended:{file.expanduser().absolute()}", on_progress)
    if json:
        print_json(view.model_dump(mode="json"))
        return
    for line in result_lines(view.result or {}):
        print_line(line)
    print_line(f"{view.task_id} mends {import_run}; next: brewslm import list --project {view.project}")


def _write(out: Path, lines: Iterable[bytes]) -> int:
    """Write a new file, whole or not at all; one that is there stays: somebody may be mending it."""
    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest

    count = 0
    try:
        with out.open("xb") as file:
            try:
                for count, line in enumerate(lines, 1):
                    file.write(line)
            except BaseException:
                out.unlink()
                raise
    except OSError as error:
        raise StageError(InvalidRequest(), "the file was not written", where=str(out), cause=error.strerror or "") from error
    return count
