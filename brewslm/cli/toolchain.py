"""brewslm toolchain install|list."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Detach, Json, print_json, print_line, print_table, run_operation

if TYPE_CHECKING:
    from brewslm.observe.toolchains import ToolchainView
    from brewslm.pipeline.runs import RunView

toolchain_app = typer.Typer(
    help="Toolchains: pinned environments for programs that can't share ours, such as vLLM.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(toolchain_app, name="toolchain")


@toolchain_app.command()
def install(
    name: Annotated[str, typer.Argument(help="See brewslm toolchain list.", show_default=False)],
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Make a toolchain's environment on this machine; one that is there is left as it is."""
    from brewslm.stages.toolchains import InstallRequest

    run_operation(InstallRequest(toolchain=name), json, _show, detach=detach)


@toolchain_app.command("list")
def list_toolchains(json: Json = False) -> None:
    """List the toolchains: what each is for, and whether it is installed."""
    from brewslm.observe.toolchains import toolchain_views

    found = toolchain_views()
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    print_table([_row(one) for one in found], ("toolchain", "what it does", "state", "size"))
    for one in found:
        if one.next_step:
            print_line(f"next: {one.next_step}")


def _row(one: "ToolchainView") -> tuple[str, ...]:
    size = f"{one.size_bytes / 1e9:.1f} GB" if one.size_bytes is not None else f"wants {one.disk_gb:g} GB"
    return (one.name, one.title, "installed" if one.installed else "not installed", size)


def _show(view: "RunView") -> None:
    result = view.result or {}
    made = f"{result['name']}: {len(result['packages'])} packages, {result['size_bytes'] / 1e9:.2f} GB"
    print_line(f"{made}, made in {result['seconds']:.0f} s" + ("" if result["newly"] else ", and there already"))
