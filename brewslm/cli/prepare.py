"""brewslm prepare, adapters, and manifest list|show|diff|activate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import Detach, Json, ProjectOption, print_json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brewslm.observe.manifests import ManifestDiff
    from brewslm.pipeline.runs import RunView

manifest_app = typer.Typer(
    help="Data manifests: what was trained on and what was held out, version by version.", no_args_is_help=True
)
Version = Annotated[int, typer.Argument(help="Such as 3 for v3.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(prepare)
    app.command()(adapters)
    app.add_typer(manifest_app, name="manifest")


def prepare(
    project: ProjectOption,
    task_profile: Annotated[str | None, typer.Option(help="Which rows to take; left out, the kind that most are of.")] = None,
    adapter: Annotated[str, typer.Option(help="How rows are read: see brewslm adapters; or a YAML file.")] = "auto",
    train_rows: Annotated[int | None, typer.Option(min=1, help="Rows to train on; left out, all that are left.")] = None,
    dev_rows: Annotated[int | None, typer.Option(min=0, help="Rows that choose checkpoints; a tenth, at most 100.")] = None,
    dev_share: Annotated[float | None, typer.Option(help="The same as a share of all rows, such as 0.1.")] = None,
    eval_rows: Annotated[int | None, typer.Option(min=1, help="Held-out rows; a fifth, at most 400.")] = None,
    eval_share: Annotated[float | None, typer.Option(help="The same as a share of all rows, such as 0.2.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed over the same rows gives the same split.")] = 42,
    group_by: Annotated[
        str | None, typer.Option(help="A column of the source, or document: rows with an equal value stay on one side.")
    ] = None,
    time_by: Annotated[str | None, typer.Option(help="A column of the source with a time: the latest rows are held out.")] = None,
    resplit: Annotated[bool, typer.Option("--resplit", help="Draw the split anew, though rows then move.")] = False,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="The longest row; left out, the task's recipe says.")] = None,
    pii: Annotated[str, typer.Option(help="Personal data in rows: report, block (turn such rows away), or off.")] = "report",
    contexts: Annotated[int, typer.Option(help="So many chunks of documents for each question without passages.")] = 0,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Freeze the project's rows as a data manifest: train, its dev slice, and eval."""
    from brewslm.stages.prepare import PrepareRequest

    given: dict[str, Any] = {name: value for name, value in locals().items() if name in PrepareRequest.model_fields}
    with problems(json):
        request = asked(given)
    run_operation(request, json, show, detach=detach)


def asked(given: dict[str, Any]) -> Any:
    """The request, or what is wrong with it as a problem.

    Raises:
        StageError(InvalidRequest): A value can't be meant so.
    """
    from pydantic import ValidationError

    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest
    from brewslm.stages.prepare import PrepareRequest

    try:
        return PrepareRequest(**given)
    except ValidationError as error:
        first = error.errors()[0]
        where = "--" + str(first["loc"][-1]).replace("_", "-") if first["loc"] else ""
        said = first["msg"].removeprefix("Value error, ")
        raise StageError(InvalidRequest(), "prepare can't be asked so", where=where, cause=said) from None


def show(view: "RunView") -> None:
    """One line of sizes, one of what was left out, and what else one should know."""
    result = view.result or {}
    rows, rejected = result["rows"], result["ledger"]["rejected"]
    sizes = " · ".join(f"{split} {count:,}" for split, count in rows.items())
    print_line(f"manifest v{result['version']}  {result['task_profile']}  {sizes} · leaks {rejected.get('leak', 0):,}")
    others = [f"{reason} {count:,}" for reason, count in sorted(rejected.items()) if reason != "leak"]
    if others:
        print_line(f"left out: {', '.join(others)}")
    for note in result["notes"]:
        print_line(f"note: {note}")


def adapters(json: Json = False) -> None:
    """List the adapter presets: from a row's columns to the fields of a task profile."""
    from brewslm.observe.adapters import adapters as known

    found = known()
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    else:
        print_table([(one.name, ", ".join(one.fields), one.meaning) for one in found])


@manifest_app.command("list")
def list_manifests(project: ProjectOption, json: Json = False) -> None:
    """List the project's data manifests, newest first; the one in use is marked."""
    from brewslm.observe.manifests import manifests

    with problems(json):
        found = manifests(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif not found:
        print_line(f"no data manifest yet; make one with  brewslm prepare --project {project}")
    else:
        lines = [
            (
                f"v{one.version}", "in use" if one.is_active else "", one.task_profile,
                " · ".join(f"{split} {count:,}" for split, count in one.rows.items()), one.created_at.strftime("%Y-%m-%d %H:%M"),
            )
            for one in found
        ]  # fmt: skip
        print_table(lines, ("version", "", "task", "rows", "frozen (UTC)"))


@manifest_app.command("show")
def show_manifest(project: ProjectOption, version: Version, json: Json = False) -> None:
    """Show one version: its dataset card, or with --json the manifest and its statistics."""
    from brewslm.observe.manifests import manifest

    with problems(json):
        found = manifest(project, version)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        print_line(found.card.partition("\n---\n")[2].strip())


@manifest_app.command("export-lm-eval")
def export_lm_eval(
    project: ProjectOption,
    out: Annotated[Path, typer.Option("--out", help="A new folder.")],
    version: Annotated[int | None, typer.Option("--version", help="The one in use when left out.")] = None,
) -> None:
    """Write the held-out rows as a task of lm-evaluation-harness: a YAML file, and the rows that it reads."""
    from brewslm.observe.lmeval import export

    with problems(json=False):
        made = export(project, out.expanduser().absolute(), version)
    print_line(f"{len(made.rows):,} rows and {made.task}.yaml in {out}")
    print_line(f"next: lm_eval --model hf --model_args pretrained=FOLDER --tasks {made.task} --include_path {out}")


@manifest_app.command("diff")
def diff(project: ProjectOption, before: Version, after: Version, json: Json = False) -> None:
    """Compare two versions: rows that came, went or changed sides, and what else is different."""
    from brewslm.observe.manifests import manifest_diff

    with problems(json):
        found = manifest_diff(project, before, after)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _show_diff(found)


def _show_diff(found: "ManifestDiff") -> None:
    print_line(f"v{found.before} → v{found.after}")
    for split in found.after_rows:
        print_line(f"  {split:<6} {found.before_rows.get(split, 0):,} → {found.after_rows[split]:,}")
    print_line(f"  {found.added:,} rows came, {found.removed:,} went, {found.moved:,} changed sides")
    for name, was, now in differences("", *_sides(found.changed)):
        print_line(f"  {name}: {was} → {now}")


def _sides(changed: dict[str, tuple[Any, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {name: pair[0] for name, pair in changed.items()}, {name: pair[1] for name, pair in changed.items()}


def differences(name: str, was: Any, now: Any) -> "Iterator[tuple[str, Any, Any]]":
    """What differs, each by its dotted name, with both values; "-" where one side has none."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted({*was, *now}):
            yield from differences(f"{name}.{key}".lstrip("."), was.get(key, "-"), now.get(key, "-"))
    elif was != now:
        yield name, _plain(was), _plain(now)


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


@manifest_app.command()
def activate(project: ProjectOption, version: Version, json: Json = False) -> None:
    """Take a version into use again: preflight and training read it from now on."""
    from brewslm.stages.prepare import ActivateRequest

    def shown(view: "RunView") -> None:
        print_line(f"project {project} uses data manifest v{version}")

    run_operation(ActivateRequest(project=project, version=version), json, shown)
