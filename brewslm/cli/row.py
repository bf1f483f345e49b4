"""brewslm row show|forget: the whole life of one row, and the end of its text."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, print_json, print_line, problems, run_operation

if TYPE_CHECKING:
    from brewslm.observe.chunks import ChunkOrigin
    from brewslm.observe.rowpassport import RowPassport
    from brewslm.pipeline.forget import ForgetPlan, Saw
    from brewslm.pipeline.runs import RunView

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


@row_app.command()
def forget(
    row_id: Annotated[str, typer.Argument(help="Such as r3f2a9c01d4e5b677-4182.", show_default=False)],
    equal: Annotated[
        bool, typer.Option("--equal", help="And what says the same, what it was mended from or into, all chunks of its document.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Remove a row's text wherever it lies in its project, for ever, and name every model that saw it.

    First it is shown what will change. Who the row was stays: its id, its place, hashes; so the books still close.
    """
    import sys

    from brewslm.observe.forgetting import forget_plan
    from brewslm.pipeline.forget import ForgetRequest

    with problems(json):
        found = forget_plan(row_id, equal)
    if not json or not yes:
        for line in _planned(found):
            print(line, file=sys.stderr if json else sys.stdout)
    if not yes and typer.prompt("It can't be undone. Type the row's id to forget it", err=True) != row_id:
        print("nothing was changed", file=sys.stderr)
        raise typer.Exit(1)
    run_operation(ForgetRequest(row_id=row_id, equal=equal), json, _forgotten)


def _planned(found: "ForgetPlan") -> list[str]:
    """Before → after."""
    lines = [f"project {found.project}: {len(found.row_ids):,} rows → who they were, and no text: {', '.join(found.row_ids)}"]
    lines += [f"  was forgotten already, by {found.forgotten_by}"] if found.forgotten_by else []
    if found.same:
        lines.append(f"  not forgotten without --equal: {', '.join(found.same)}")
    lines += [f"  {path}: {count:,} lines → emptied" for path, count in found.files.items()]
    lines += [f"  {one.path}, record {one.position:,} → emptied" for one in found.sources]
    lines += [f"  not touched, for it is not the project's: {one}" for one in found.outside]
    return lines + _saw(found.saw)


def _saw(saw: "Saw") -> list[str]:
    """What can't forget."""
    found = {
        "manifests": saw.manifests, "trained on it": saw.experiments, "evaluations": saw.evaluations, "exports": saw.exports,
        "deployments": saw.deployments, "gold sets": saw.gold_sets,
    }  # fmt: skip
    lines = [f"  saw it, {name}: {'; '.join(every)}" for name, every in found.items() if every]
    return [
        *lines,
        *(["  Weights can't forget: train again without it, and retire what was trained."] if saw.experiments else []),
    ]


def _forgotten(view: "RunView") -> None:
    from brewslm.pipeline.forget import Saw

    result = view.result or {}
    print_line(f"{view.task_id}  {len(result['row_ids']):,} rows are forgotten; {result['files']:,} files were rewritten")
    for one in result["changed"]:
        print_line(f"  {one['path']}: {one['old_sha256'][:12]} → {one['new_sha256'][:12]}")
    for line in _saw(Saw.model_validate(result["saw"])):
        print_line(line)
    for one in result["outside"]:
        print_line(f"  still there, for it is not the project's: {one}")


def _story(row: "RowPassport") -> list[str]:
    lines = [f"row {row.row_id} of project {row.project}"]
    if row.forgotten:
        by = f", asked by {row.forgotten.actor}" if row.forgotten.actor else ""
        lines.append(f"  forgotten   {row.forgotten.at:%Y-%m-%d %H:%M} UTC by {row.forgotten.run_id}{by}")
    if row.chunk:
        lines += _chunk_story(row.chunk)
    elif row.origin:
        mapped = f", mapped by {row.origin.mapper}" if row.origin.mapper else ""
        lines.append(f"  source      {row.origin.locator}, record {row.origin.position}{mapped}")
    if row.origin and row.origin.line:
        lines.append("  line        " + "  ".join(f"{name}={value!r}" for name, value in row.origin.line.items()))
    if row.origin and row.origin.field_map:
        lines.append("  mapping     " + "  ".join(f"{field}={column}" for field, column in row.origin.field_map.items()))
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
    lines += [f"  gold        {one}" for one in row.gold_sets]
    return lines + [f"  shown       as a right answer in {one}" for one in row.shown_in]


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
