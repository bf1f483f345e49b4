"""brewslm support bundle|list|link."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Detach, Json, ProjectOption, print_json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

support_app = typer.Typer(help="Support bundles: what a helper needs to see, redacted, in one zip.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(support_app, name="support")


@support_app.command()
def bundle(
    project: ProjectOption,
    run: Annotated[str | None, typer.Option(help="Only this run, and those under it.")] = None,
    out: Annotated[Path | None, typer.Option(help="Copy the zip to this file.")] = None,
    megabytes: Annotated[int, typer.Option(min=8, max=1024, help="The most that it may hold, unpacked.")] = 32,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Write a support bundle: runs, events, versions, environment, logs; no row's text, no weights, no secrets."""
    from brewslm.pipeline.support import SupportBundleRequest

    if detach and out is not None:
        raise typer.BadParameter("--out needs the file now; leave --detach out, or fetch it by brewslm support link")

    def show(view: "RunView") -> None:
        result = view.result or {}
        print_line(f"{view.task_id}  {result['files']} files, {result['size_bytes'] / 1e6:,.1f} MB, SHA-256 {result['sha256']}")
        taken = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in result["redactions"].items())
        print_line(f"  taken out: {taken or 'nothing'}")
        for one in result["left_out"]:
            print_line(f"  left out: {one['what']}: {one['why']}")
        print_line(f"  {out or _path(view)}")

    with problems(json):
        request = SupportBundleRequest(project=project, run=run, megabytes=megabytes)
    view = run_operation(request, json, lambda _: None, detach=detach)
    if detach:
        return
    if out is not None:
        _copy(_path(view), out, json)
    if not json:
        show(view)


def _path(view: "RunView") -> Path:
    from brewslm.observe.support import support_bundle

    return Path(support_bundle(view.task_id).path)


def _copy(made: Path, out: Path, json: bool) -> None:
    import shutil

    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest
    from brewslm.store.files import new_file

    with problems(json):
        try:
            with made.open("rb") as zipped, new_file(out) as copy:
                shutil.copyfileobj(zipped, copy)
        except OSError as error:
            cause = error.strerror or type(error).__name__
            raise StageError(
                InvalidRequest(), f"The bundle was not copied; it stands at {made}", where=str(out), cause=cause
            ) from error


@support_app.command("list")
def list_bundles(project: ProjectOption, json: Json = False) -> None:
    """List the project's bundles, newest first."""
    from brewslm.observe.support import support_bundles

    with problems(json):
        found = support_bundles(project)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
    elif found:
        rows = [
            (
                one.task_id,
                f"{one.made_at:%Y-%m-%d %H:%M}",
                one.of_run or "",
                f"{one.size_bytes:,}",
                one.path if one.is_there else "gone",
            )
            for one in found
        ]
        print_table(rows, ("task", "made (UTC)", "of run", "bytes", "file"))
    else:
        print_line(f"no bundle yet; make one with  brewslm support bundle --project {project}")


@support_app.command()
def link(task: Annotated[str, typer.Argument(help="Such as support-1; see brewslm support list.")], json: Json = False) -> None:
    """Print a link to a bundle, for whoever can reach this machine's brewslm serve; it ends after a day."""
    from brewslm.observe.support import support_bundle

    with problems(json):
        found = support_bundle(task)
    if json:
        print_json(found.model_dump(mode="json"))
    elif found.is_there:
        print_line(found.link)
        print_line(f"until {found.expires_at:%Y-%m-%d %H:%M} UTC")
    else:
        print_line(f"the file of {task} is gone: {found.path}")
        raise typer.Exit(1)
