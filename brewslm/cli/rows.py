"""brewslm row list|facets: a project's rows, a page at a time, and how they can be told apart."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, ProjectOption, print_json, print_line, print_table, problems
from brewslm.cli.row import row_app

if TYPE_CHECKING:
    from brewslm.observe.row_pages import RowItem

_WIDTH = 70
ImportOption = Annotated[str | None, typer.Option("--import", help="Rows of this import alone, such as import-7.")]


def register(app: typer.Typer) -> None:
    """Add these commands to those of row."""


@row_app.command("list")
def listed(
    project: ProjectOption,
    status: Annotated[str, typer.Option("--status", help="counts, rejected or undone.")] = "counts",
    import_run: ImportOption = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Rejected for this reason; with --status rejected.")] = None,
    manifest: Annotated[int | None, typer.Option("--manifest", help="Rows as this version of the manifest has put them.")] = None,
    split: Annotated[str | None, typer.Option("--split", help="train, dev, eval, gold or rejected, of --manifest.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Of this label alone.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="That hold this text.")] = None,
    field: Annotated[str | None, typer.Option("--field", help="Look for --text in this field alone.")] = None,
    after: Annotated[str | None, typer.Option("--after", help="The page after this cursor.")] = None,
    before: Annotated[str | None, typer.Option("--before", help="The page before this cursor.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """List rows, oldest first: what they say, their label, and where they stand. Nothing but the page is read."""
    from pydantic import ValidationError

    from brewslm.observe.fault_words import fault_words
    from brewslm.observe.row_filter import RowFilter
    from brewslm.observe.row_pages import row_page

    said = {
        "status": status, "import_run": import_run, "reason": reason, "manifest": manifest, "split": split, "label": label,
        "text": text, "field": field,
    }  # fmt: skip
    try:
        wanted = RowFilter.model_validate({name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        named = (": ".join([*(f"--{name}" for name in one["loc"]), fault_words(one)]) for one in error.errors())
        raise typer.BadParameter("; ".join(named)) from None
    with problems(json):
        found = row_page(project, wanted, after=after, before=before, limit=limit)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    print_table([_line(row) for row in found.rows], ("row", "state", "label", "says"))
    of = f" of {found.total:,}" if found.total is not None else ""
    print_line(f"rows {found.first:,} to {found.first + len(found.rows) - 1:,}{of}" if found.rows else "no row fits")
    if found.next:
        print_line(f"next: the same command with --after {found.next}")


@row_app.command()
def facets(project: ProjectOption, import_run: ImportOption = None, json: Json = False) -> None:
    """Count rows by status, reason, label, import and split."""
    from brewslm.observe.row_facets import row_facets

    with problems(json):
        found = row_facets(project, import_run)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    groups: list[tuple[str, dict[str, int]]] = [
        ("status", {str(name): count for name, count in found.statuses.items()}),
        ("reason", found.reasons), ("label", found.labels), *((f"v{one.manifest}", one.rows) for one in found.manifests),
    ]  # fmt: skip
    lines = [(name, each, f"{count:,}") for name, counts in groups for each, count in counts.items()]
    lines += [("import", one.import_run, f"{one.accepted:,}" + (", undone" if one.is_undone else "")) for one in found.imports]
    print_table(lines, ("by", "", "rows"))


def _line(row: "RowItem") -> tuple[str, ...]:
    said = "the text is forgotten" if row.is_forgotten else "  ".join(f"{name}: {value}" for name, value in row.values.items())
    said = " ".join(said.split())
    state = f"{row.status}: {row.reason}" if row.reason else row.status
    return row.row_id, state, ", ".join(row.labels), said if len(said) <= _WIDTH else f"{said[: _WIDTH - 1]}…"
