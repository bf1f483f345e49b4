"""brewslm gold draft|import|rows|review|lock|list|show."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import Detach, Json, ProjectOption, actor, print_json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from brewslm.observe.gold import GoldSetView
    from brewslm.pipeline.runs import RunView
    from brewslm.stages.contract import Request

gold_app = typer.Typer(help="Gold sets: rows that people have judged, and that are never trained on.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the gold set, in small letters, such as support.")]
VersionOption = Annotated[int | None, typer.Option("--version", help="Left out, the newest.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(gold_app, name="gold")


@gold_app.command()
def draft(name: Name, project: ProjectOption, json: Json = False) -> None:
    """Open the first version of a gold set, or the next one, which starts with the rows of the one before it."""

    def show(view: "RunView") -> None:
        result = view.result or {}
        print_line(f"{result['gold_set']} is a draft with {result['rows']:,} rows")
        print_line(f"next: brewslm gold import {name} --project {project} --rows 100")

    with problems(json):
        request = _asked("GoldDraftRequest", project=project, name=name)
    run_operation(request, json, show)


@gold_app.command("import")
def import_rows(
    name: Name,
    project: ProjectOption,
    manifest_version: Annotated[int | None, typer.Option(help="From its eval split; left out, the manifest in use.")] = None,
    import_run: Annotated[str | None, typer.Option("--import", help="From an import's rows instead, such as import-3.")] = None,
    adapter: Annotated[str, typer.Option(help="How an import's rows are read: see brewslm adapters.")] = "auto",
    rows: Annotated[int | None, typer.Option(min=1, help="How many; left out, all.")] = None,
    stratified: Annotated[bool, typer.Option("--stratified", help="Each label in its proportion, instead of at random.")] = False,
    by: Annotated[str | None, typer.Option(help="With --stratified: this field, or column of the source, not the label.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed draws the same rows.")] = 42,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Draw rows into the draft: from the eval split of a manifest, or from an import."""

    def show(view: "RunView") -> None:
        result = view.result or {}
        print_line(f"{result['gold_set']}: {result['rows']:,} rows of {result['source']} were drawn")
        left_out = [f"{reason} {count:,}" for reason, count in sorted(result["ledger"]["rejected"].items()) if count]
        if left_out:
            print_line(f"left out: {', '.join(left_out)}")
        print_line(f"next: brewslm gold rows {name} --project {project} --reviewer YOU")

    sample = "stratified" if stratified or by else "random"
    with problems(json):
        request = _asked(
            "GoldImportRequest", project=project, name=name, manifest_version=manifest_version, import_run=import_run,
            adapter=adapter, rows=rows, sample=sample, by=by, seed=seed,
        )  # fmt: skip
    run_operation(request, json, show, detach=detach)


@gold_app.command("rows")
def list_rows(
    name: Name,
    project: ProjectOption,
    version: VersionOption = None,
    state: Annotated[str | None, typer.Option(help="unreviewed, accepted, corrected, rejected or disputed.")] = None,
    reviewer: Annotated[str | None, typer.Option(help="Rows that wait for this person, without what others said.")] = None,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    limit: Annotated[int, typer.Option(min=1)] = 20,
    json: Json = False,
) -> None:
    """Show rows of a gold set."""
    from brewslm.observe.gold import gold_rows

    with problems(json):
        found = gold_rows(project, name, version, state, reviewer, offset, limit)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        print_line("no such rows")
    for one in found:
        print_line(f"{one.row_id}  {one.state}")
        for field, value in one.judged.items():
            print_line(f"  {field}: {value}")
        for said in one.reviews:
            print_line(f"  {'settled' if said.settles else 'reviewed'} by {said.reviewer}: {said.verdict}")


@gold_app.command()
def review(
    name: Name,
    project: ProjectOption,
    row: Annotated[str | None, typer.Option("--row", help="A row's id; or name a --file.")] = None,
    verdict: Annotated[str | None, typer.Option(help="accepted, corrected or rejected.")] = None,
    field: Annotated[list[str] | None, typer.Option("--field", help="Of a corrected row: name=value; may be repeated.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help='JSON lines: {"row_id": …, "verdict": …, "fields": {…} if corrected}.')
    ] = None,
    reviewer: Annotated[str | None, typer.Option(help="Who looked at them; left out, you.")] = None,
    settle: Annotated[bool, typer.Option("--settle", help="Decide alone: ends a dispute, or mends a slip.")] = False,
    json: Json = False,
) -> None:
    """Judge rows of the draft: one, or many by a file."""

    def show(view: "RunView") -> None:
        result = view.result or {}
        said = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(result["verdicts"].items()))
        print_line(f"{result['gold_set']}: {result['reviewer']} says {said}")
        print_line(f"next: brewslm gold show {name} --project {project}")

    with problems(json):
        judged = _from_file(file) if file else [_one(row, verdict, field or [])]
        request = _asked(
            "GoldReviewRequest", project=project, name=name, reviewer=reviewer or actor().partition(":")[2], reviews=judged,
            settle=settle,
        )  # fmt: skip
    run_operation(request, json, show)


@gold_app.command()
def lock(
    name: Name,
    project: ProjectOption,
    reviewers: Annotated[int, typer.Option(min=1, help="So many must have looked at each row; with 1 nobody checked.")] = 2,
    json: Json = False,
) -> None:
    """Freeze the draft by its hash: prepare keeps its rows out of train from now on."""

    def show(view: "RunView") -> None:
        result = view.result or {}
        print_line(f"{result['gold_set']} is locked: {result['rows']:,} rows, {result['corrected']:,} of them corrected")
        for pair in result["agreement"]:
            print_line(_agreement(pair))
        print_line(f"next: brewslm prepare --project {project}  keeps its rows out of train")

    with problems(json):
        request = _asked("GoldLockRequest", project=project, name=name, reviewers=reviewers)
    run_operation(request, json, show)


@gold_app.command("list")
def list_sets(project: ProjectOption, json: Json = False) -> None:
    """List the project's gold sets, every version."""
    from brewslm.observe.gold import gold_sets

    with problems(json):
        found = gold_sets(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif not found:
        print_line(f"no gold set yet; open one with  brewslm gold draft NAME --project {project}")
    else:
        lines = [(one.gold_set, one.state, one.task_profile or "", _states(one), ", ".join(one.reviewers)) for one in found]
        print_table(lines, ("gold set", "", "task", "rows", "reviewers"))


@gold_app.command("show")
def show_set(name: Name, project: ProjectOption, version: VersionOption = None, json: Json = False) -> None:
    """Show one version: rows by state, who reviewed how many, and how far they agree."""
    from brewslm.observe.gold import gold_set

    with problems(json):
        found = gold_set(project, name, version)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    print_line(f"{found.gold_set}  {found.state}  {found.task_profile or 'no rows yet'}")
    print_line(f"  {_states(found)}")
    for person, count in found.reviewers.items():
        print_line(f"  {person} reviewed {count:,}")
    for pair in found.agreement:
        print_line(_agreement(pair.model_dump(mode="json")))
    if found.sha256:
        print_line(f"  sha256 {found.sha256}")


def _states(found: "GoldSetView") -> str:
    return " · ".join(f"{state} {count:,}" for state, count in sorted(found.rows.items())) or "no rows"


def _agreement(pair: dict[str, Any]) -> str:
    people = " and ".join(pair["reviewers"])
    if pair["kappa"] is None:
        return f"  {people}: said the same of {pair['agreed']:,} of {pair['n']:,} rows; kappa is not defined"
    return f"  {people}: kappa {pair['kappa']:.2f} (95 % between {pair['low']:.2f} and {pair['high']:.2f}) on {pair['n']:,} rows"


def _asked(request: str, **fields: Any) -> "Request":
    """The request, or what is wrong with it as a problem.

    Raises:
        StageError(InvalidRequest): A value can't be meant so.
    """
    from pydantic import ValidationError

    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest
    from brewslm.stages.prepare import gold

    try:
        made: Request = getattr(gold, request)(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StageError(
            InvalidRequest(), "it can't be asked so", where=where, cause=first["msg"].removeprefix("Value error, ")
        ) from None
    return made


def _one(row: str | None, verdict: str | None, fields: list[str]) -> dict[str, Any]:
    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest

    if row is None or verdict is None:
        raise StageError(InvalidRequest(), "no row was judged", next_step="Give --row and --verdict, or --file.")
    if not all("=" in one for one in fields):
        raise StageError(InvalidRequest(), "a field can't be read", where="--field", cause="it is written name=value")
    changed = dict(one.split("=", 1) for one in fields)
    return {"row_id": row, "verdict": verdict, "fields": changed or None}


def _from_file(path: Path) -> list[Any]:
    import orjson

    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest

    try:
        return [orjson.loads(line) for line in path.expanduser().read_bytes().splitlines() if line.strip()]
    except (OSError, orjson.JSONDecodeError) as error:
        cause = "a line is no JSON" if isinstance(error, orjson.JSONDecodeError) else type(error).__name__
        raise StageError(InvalidRequest(), "the reviews can't be read", where=path.name, cause=cause) from None
