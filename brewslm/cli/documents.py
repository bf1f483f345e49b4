"""brewslm documents add|list, brewslm clean."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Detach, Json, ProjectOption, print_json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

documents_app = typer.Typer(
    help="Raw documents: PDF, Word, HTML, e-mail, Markdown and text files to clean.", no_args_is_help=True
)


class PiiPolicy(StrEnum):
    """What cleaning does with personal data."""

    REDACT = "redact"
    PSEUDONYMISE = "pseudonymise"
    BLOCK = "block"


class Preset(StrEnum):
    """Whose rules decide: a team's own documents, or crawled pages."""

    DOCUMENTS = "documents"
    WEB = "web"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(documents_app, name="documents")
    app.command()(clean)


@documents_app.command()
def add(
    project: ProjectOption,
    paths: Annotated[list[str], typer.Argument(help="Files, folders, file: paths, or url:https://… locators.")],
    json: Json = False,
) -> None:
    """Copy documents (PDF, .docx, HTML, .eml, Markdown, text) into the project."""
    from brewslm.stages.documents import AddRequest

    def show(view: "RunView") -> None:
        kept = view.result or {}
        print_line(f"{kept['added']:,} documents were added, {kept['known']:,} stood there already")
        for one in kept["skipped"]:
            print_line(f"  left out: {one['name']} ({one['reason']})")
        print_line(f"next: brewslm clean --project {project}")

    run_operation(AddRequest(project=project, paths=[_named(path) for path in paths]), json, show)


def _named(path: str) -> str:
    return path if path.startswith(("file:", "url:")) else str(Path(path).absolute())


@documents_app.command("list")
def list_documents(project: ProjectOption, json: Json = False) -> None:
    """List the project's documents with what cleaning found."""
    from brewslm.observe.documents import documents

    with problems(json):
        found = documents(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        rows: list[tuple[str, ...]] = []
        for one in found:
            report = one.cleaned or {}
            state = f"{one.state} ({one.reason})" if one.reason else one.state
            figures = (
                (f"{report['quality']:.2f}", f"{sum(report['finding_counts'].values()):,}", f"{report['chunks']:,}")
                if report
                else ("",) * 3
            )
            rows.append((str(one.id), one.name, state, *figures))
        print_table(rows, ("id", "name", "state", "quality", "pii", "chunks"))
    else:
        print_line(f"no document yet; add some with  brewslm documents add --project {project} PATH")


def clean(
    project: ProjectOption,
    preset: Annotated[
        Preset, typer.Option(help="Rules for a team's own documents, or the strict ones for crawled pages.")
    ] = Preset.DOCUMENTS,
    pii: Annotated[
        PiiPolicy,
        typer.Option(help="Personal data: a placeholder, a stand-in that is the same for the same value, or turn it away."),
    ] = PiiPolicy.REDACT,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Clean the project's documents: mended text, chunks, findings per document."""
    from brewslm.stages.clean import CleanRequest

    def show(view: "RunView") -> None:
        result = view.result or {}
        ledger = result["ledger"]
        rejected = ", ".join(f"{reason} {count:,}" for reason, count in sorted(ledger["rejected"].items()))
        print_line(
            f"05 clean       {ledger['rows_out']:,} of {ledger['rows_in']:,} documents, {result['chunks']:,} chunks"
            + (f"; rejected: {rejected}" if rejected else "")
        )

    run_operation(CleanRequest(project=project, preset=preset.value, pii=pii.value), json, show, detach=detach)
