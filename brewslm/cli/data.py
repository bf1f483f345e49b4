"""brewslm ingest, introspect, map, sources, mappers."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

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
from brewslm.cli.data_views import counts, show_commit, show_introspection, show_preview, stage_lines

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

LocatorOption = Annotated[str, typer.Option("--locator", help="What to read: scheme:reference; see brewslm sources.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(ingest)
    app.command()(introspect)
    app.command("map")(map_rows)
    app.command()(sources)
    app.command()(mappers)


def ingest(
    project: ProjectOption,
    locator: LocatorOption,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="N rows are enough, where the whole source is dear to fetch."),
    ] = None,
    json: Json = False,
) -> None:
    """Stage 1: keep a source in the project, by the hash of its content."""
    from brewslm.stages.ingest import IngestRequest

    def show(view: "RunView") -> None:
        kept = view.result or {}
        unparseable = sum(kept["sentinel_counts"].values())
        print_line(f"{kept['row_count']:,} rows, {unparseable:,} unparseable{counts(kept['sentinel_counts'])}")
        print_line(f"kept as {kept['path']}")
        print_line(f"next: brewslm map --project {project} --locator {locator} --auto")

    with problems(json):
        from brewslm.pipeline.importing import first_project

        first_project(actor(), project)
    run_operation(IngestRequest(project=project, locator=locator, limit=limit), json, show)


def introspect(locator: LocatorOption, json: Json = False) -> None:
    """Stage 2: what a source's columns are, and how they could be mapped."""
    from brewslm.pipeline.importing import introspect_locator

    with problems(json):
        found = introspect_locator(locator)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        show_introspection(found)


def map_rows(
    project: ProjectOption,
    locator: LocatorOption,
    auto: Annotated[bool, typer.Option("--auto", help="Take the proposed mapping if its confidence is 0.80 or more.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Take it although its confidence is under 0.80.")] = False,
    mapper: Annotated[str | None, typer.Option("--mapper", help="Use this mapper; see brewslm mappers.")] = None,
    mapped: Annotated[list[str] | None, typer.Option("--map", metavar="K=V", help="Field=column or option=value.")] = None,
    config: Annotated[int | None, typer.Option("--config", help="Use this mapping again; see brewslm import configs.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only N rows, drawn from the whole source.")] = None,
    gold: Annotated[bool, typer.Option("--gold", help="The rows are a gold set: held out, and never trained on.")] = False,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", metavar="REASON", help="Leave its rows out of the shown sample; counts stay.")
    ] = None,
    commit: Annotated[
        bool, typer.Option("--commit", help="Append the rows to the project; without it nothing is written.")
    ] = False,
    json: Json = False,
) -> None:
    """Stages 3 and 4: map a source's rows; a dry run unless --commit."""
    from brewslm.pipeline.importing import import_rows
    from brewslm.pipeline.mapping_choice import ImportRequest

    request = ImportRequest(
        project=project, locator=locator, mapper=mapper, field_map=_field_map(mapped or []), config=config, auto=auto,
        force=force, limit=limit, drop=drop or [], gold=gold, commit=commit,
    )  # fmt: skip
    with problems(json), progress_line(json) as on_progress:
        done = import_rows(actor(), request, on_stage=stage_lines(json), on_progress=on_progress)
    shown = done.run or done.preview
    assert shown is not None
    if json:
        print_json(shown.model_dump(mode="json"))
    elif done.preview is not None:
        show_preview(done.preview, request.project)
    else:
        show_commit(done)


def sources(json: Json = False) -> None:
    """The schemes of source locators, and the samples."""
    from brewslm.sources import CONNECTORS
    from brewslm.sources.catalogue import samples

    schemes = [{"scheme": each.scheme, "grammar": each.grammar, "meaning": each.meaning} for each in CONNECTORS.values()]
    known = [
        {"locator": f"sample:{name}", "meaning": sample.meaning, "licence": sample.licence, "package": sample.package}
        for name, sample in samples().items()
    ]
    if json:
        print_json({"sources": schemes, "samples": known})
        return
    print_table([(each["grammar"], each["meaning"]) for each in schemes], ("locator", ""))
    print_line("")
    print_table([(each["locator"], each["meaning"]) for each in known], ("sample", ""))
    _show_broken("sources")


def mappers(json: Json = False) -> None:
    """The mappers, their fields and their options."""
    from brewslm.mappers import MAPPERS

    if json:
        print_json(
            [
                {
                    "id": mapper.id,
                    "target_task_profile": mapper.task_profile,
                    "meaning": mapper.meaning,
                    "fields": {name: {"required": field.required, "names": field.names} for name, field in mapper.fields.items()},
                    "options": mapper.options,
                }
                for mapper in MAPPERS.values()
            ]
        )
        return
    for mapper in MAPPERS.values():
        print_line(f"{mapper.id} → {mapper.task_profile}: {mapper.meaning}")
        fields = [
            (name, field.meaning + ("" if field.required else " (may be left out)")) for name, field in mapper.fields.items()
        ]
        print_table([(f"  {name}", meaning) for name, meaning in (*fields, *mapper.options.items())])
    _show_broken("mappers")


def _show_broken(group: Literal["sources", "mappers"]) -> None:
    """Plugins that are installed and could not be loaded."""
    from brewslm.observe.connectors import broken_plugins

    for entry_point, error in broken_plugins(group):
        print(f"the plugin {entry_point} could not be loaded: {error}", file=sys.stderr)


def _field_map(entries: list[str]) -> dict[str, str]:
    pairs = [entry.partition("=") for entry in entries]
    for field, sign, value in pairs:
        if not (field and sign and value):
            raise typer.BadParameter(f"{field}{sign}{value} is not of the form field=column", param_hint="--map")
    return {field: value for field, _, value in pairs}
