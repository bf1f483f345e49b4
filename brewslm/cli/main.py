"""`brewslm`: one verb per stage. Commands import what they need when they run, so that --help is there at once."""

import typer

from brewslm.cli import (
    academy,
    audit,
    data,
    deploy,
    documents,
    drift,
    errors,
    evalpacks,
    evaluate,
    experiments,
    explorer,
    export,
    failures,
    gold,
    health,
    imports,
    journal,
    models,
    predict,
    preflight,
    prepare,
    project_file,
    projects,
    quickstart,
    row,
    rows,
    serve,
    status,
    support,
    task,
    timeline,
    toolchain,
    train,
)

app = typer.Typer(
    name="brewslm",
    help="From your own data to a small language model that you run yourself, every row accounted for.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
MODULES = (
    quickstart, serve, projects, project_file, data, imports, documents, health, prepare, gold, models, preflight, train,
    experiments, evaluate, errors, evalpacks, export, toolchain, deploy, drift, predict, status, task, audit, timeline, explorer,
    failures, journal, row, rows, support, academy,
)  # fmt: skip
for module in MODULES:
    module.register(app)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
