"""brewslm row show: the whole life of one row."""

from typing import TYPE_CHECKING

import typer

from brewslm.cli.console import Json, print_json, print_line, problems

if TYPE_CHECKING:
    from brewslm.observe.chunks import ChunkOrigin
    from brewslm.observe.rowpassport import RowPassport

row_app = typer.Typer(help="Single rows.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(row_app, name="row")


@row_app.callback()
def rows() -> None:
    """Single rows."""


@row_app.command()
def show(row_id: str, json: Json = False) -> None:
    """Tell a row's whole life: source, mapping, split, training steps, answers."""
    from brewslm.observe.rowpassport import row_passport

    with problems(json):
        found = row_passport(row_id)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    for line in _story(found):
        print_line(line)


def _story(row: "RowPassport") -> list[str]:
    lines = [f"row {row.row_id} of project {row.project}"]
    if row.chunk:
        lines += _chunk_story(row.chunk)
    elif row.origin:
        mapped = f", mapped by {row.origin.mapper}" if row.origin.mapper else ""
        lines.append(f"  source      {row.origin.locator}, record {row.origin.position}{mapped}")
    for fate in row.fates:
        run = fate.run_id or "clean"
        if fate.reason:
            lines.append(f"  rejected    in {run}: {fate.reason}" + (f" ({fate.detail})" if fate.detail else ""))
            lines += [f"              {name}={value!r}" for name, value in (fate.raw or {}).items()]
        else:
            undone = f", undone by {fate.undone_by}" if fate.undone_by else ""
            said = "  ".join(f"{name}={value!r}" for name, value in (fate.payload or {}).items())
            lines.append(f"  accepted    in {run}{undone}: {said}")
        if fate.parent:
            lines.append(f"  mended      from {fate.parent}")
        lines += [f"  mended      as {row_id}" for row_id in fate.mended_as]
    lines += [
        f"  prepared    v{split.manifest_version}: {split.split}" + (f", {split.reason}" if split.reason else "")
        for split in row.splits
    ]
    for trained in row.trained:
        steps = ", ".join(map(str, trained.steps)) or "none"
        lines.append(f"  trained     {trained.experiment}: steps {steps}")
    lines += [
        f"  answered    {answer.evaluation} of {answer.experiment}, {answer.model}: {answer.output!r} "
        f"({'right' if answer.correct else f'wrong: expected {answer.expected!r}'})"
        + (f"\n              of the error cluster {answer.cluster}" if answer.cluster else "")
        for answer in row.answers
    ]
    return lines


def _chunk_story(chunk: "ChunkOrigin") -> list[str]:
    page = f", page {chunk.page:,}" if chunk.page is not None else ""
    lines = [
        f"  document    {chunk.name} ({chunk.document}){page}, chunk {chunk.index + 1:,}, {chunk.tokens:,} tokens",
        f"  source      characters {chunk.source_start:,} to {chunk.source_end:,} of {chunk.source_path}",
        f"  cleaned     characters {chunk.start:,} to {chunk.end:,} of {chunk.path}",
    ]
    lines += [f"  headings    {' > '.join(chunk.headings)}"] if chunk.headings else []
    found = ", ".join(f"{kind} {count:,}" for kind, count in sorted(chunk.findings.items())) or "no personal data"
    return [*lines, f"  found       in the document: {found}"]
