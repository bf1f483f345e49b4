"""brewslm project export|validate|diff|apply, and brewslm pipeline run: brewslm.yaml, which says what a project is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from brewslm.cli.console import (
    Detach,
    Json,
    ProjectOption,
    actor,
    print_json,
    print_line,
    print_table,
    problems,
    progress_line,
    show_problem,
)  # fmt: skip
from brewslm.cli.projects import project_app

if TYPE_CHECKING:
    from brewslm.pipeline.project_file.plan import StageName, Step
    from brewslm.pipeline.project_file.running import ApplyRequest, PipelineRequest
    from brewslm.pipeline.runs import RunView
    from brewslm.reasons.refusals import FileProblem

File = Annotated[Path, typer.Argument(help="Such as brewslm.yaml.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]
DIFFERENT, USAGE, GATE_NOT_MET = 1, 2, 3
MARKS = {"run": "→", "up_to_date": "✓", "blocked": "✗"}
pipeline_app = typer.Typer(help="The pipeline of a project: from its sources to its slots.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (export, validate, diff, apply):
        project_app.command()(command)
    app.add_typer(pipeline_app, name="pipeline")


def export(
    project: ProjectOption,
    out: Annotated[Path | None, typer.Option(help="A file, such as brewslm.yaml; its paths start from its folder.")] = None,
    json: Json = False,
) -> None:
    """Write the project's file: what its newest operations that succeeded were asked for."""
    from brewslm.observe.project_file import file_of, written

    with problems(json):
        found = written(project, out) if out is not None else file_of(project, Path.cwd())
    if json:
        print_json(found.model_dump(mode="json"))
    elif out is None:
        print_line(found.text.rstrip("\n"))
    else:
        print_line(f"project {project} is written to {out}")


def validate(file: File, json: Json = False) -> None:
    """Check a project file: every problem with its line; exit 2 where there is one."""
    from brewslm.observe.project_file import file_report

    with problems(json):
        report = file_report(file)
    if json:
        print_json(report.model_dump(mode="json"))
    elif report.valid:
        print_line(f"{file} can be applied")
    for problem in () if json else report.problems:
        print_line(_told(file, problem))
    if not report.valid:
        raise typer.Exit(USAGE)


def diff(file: File, project: ProjectOption, json: Json = False) -> None:
    """Compare a file with a project, field by field, and tell what applying it would do; exit 1 where there is something."""
    from brewslm.observe.project_file import diff_of
    from brewslm.pipeline.project_file.reading import load_file

    with problems(json):
        found = diff_of(load_file(file), project)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        for one in found.differences:
            print_line(f"{one.where}: {_side(one.project)} → {_side(one.file)}")
        if found.same:
            print_line(f"{file} and project {project} say the same")
        else:
            _show_steps(found.steps)
    if not found.same:
        raise typer.Exit(DIFFERENT)


def _side(value: Any) -> str:
    return "not said" if value is None else str(value)


def apply(
    file: File,
    project: Annotated[
        int | None, typer.Option(help="Left out: the project of the file's name, which is made where there is none.")
    ] = None,
    dry_run: DryRun = False,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Make a project what a file says: show the plan, then do what is not so yet, and nothing else."""
    from brewslm.pipeline.project_file.reading import load_file
    from brewslm.pipeline.project_file.running import ApplyRequest, known_project, project_for

    with problems(json):
        wanted = load_file(file)
        known = project if project is not None else known_project(wanted)
        steps = _planned(wanted, known, json=json)
    if dry_run or not any(step.action != "up_to_date" for step in steps):
        _end(steps, json, dry_run=dry_run)
        return
    with problems(json):
        number = project_for(actor(), wanted, known)
    _ask(ApplyRequest(project=number, file=wanted), json=json, detach=detach)


@pipeline_app.command()
def run(
    file: Annotated[
        Path | None, typer.Argument(help="Such as brewslm.yaml; left out, what the project was asked for last.")
    ] = None,
    project: Annotated[int | None, typer.Option(help="The project's number; left out, the project of the file's name.")] = None,
    from_stage: Annotated[str | None, typer.Option("--from", metavar="STAGE", help="Take what lies before as it is.")] = None,
    to_stage: Annotated[str | None, typer.Option("--to", metavar="STAGE", help="Stop after this stage, such as train.")] = None,
    dry_run: DryRun = False,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Run the stages in order, as far as their inputs have changed; after a failure it goes on where it stopped."""
    from brewslm.pipeline.project_file.exporting import exported
    from brewslm.pipeline.project_file.reading import load_file
    from brewslm.pipeline.project_file.running import PipelineRequest, known_project, project_for

    if file is None and project is None:
        raise typer.BadParameter("name a file, a --project, or both")
    first, last = cast("StageName | None", from_stage), cast("StageName | None", to_stage)
    with problems(json):
        wanted = load_file(file) if file is not None else exported(cast(int, project))
        known = project if project is not None else known_project(wanted)
        steps = _planned(wanted, known, first, last, json=json)
    if dry_run or not any(step.action != "up_to_date" for step in steps):
        _end(steps, json, dry_run=dry_run)
        return
    with problems(json):
        number = project_for(actor(), wanted, known)
    _ask(PipelineRequest(project=number, file=wanted, from_stage=first, to_stage=last), json=json, detach=detach)


def _planned(file: Any, project: int | None, first: Any = None, last: Any = None, *, json: bool) -> "list[Step]":
    """The plan, shown to a person before anything is done."""
    from brewslm.observe.project_file import plan_of

    steps = plan_of(file, project, first, last)
    if not json:
        _show_steps(steps)
    return steps


def _show_steps(steps: "list[Step]") -> None:
    print_table([(MARKS[one.action], " ".join(filter(None, (one.operation, one.subject))), one.run, one.why) for one in steps])


def _end(steps: "list[Step]", json: bool, *, dry_run: bool) -> None:
    """Nothing was done: as it was wished, or because there is nothing to do."""
    if json:
        print_json({"steps": [step.model_dump(mode="json") for step in steps]})
    elif not dry_run:
        print_line("nothing to do")
    if dry_run and any(step.action == "blocked" for step in steps):
        raise typer.Exit(1)


def _ask(request: "ApplyRequest | PipelineRequest", *, json: bool, detach: bool) -> None:
    from brewslm.pipeline.project_file.running import ask

    with _problems_of_parts(json):
        if detach:
            view = ask(actor(), request, detach=True)
        else:
            with progress_line(json) as on_progress:
                view = ask(actor(), request, on_progress=on_progress)
    if json:
        print_json(view.model_dump(mode="json"))
    elif detach:
        print_line(f"{view.task_id} is queued; follow it with  brewslm task show {view.task_id}")
    if view.result is not None:
        _show_result(view, json)


def _show_result(view: "RunView", json: bool) -> None:
    result = view.result or {}
    if not json:
        ran = [step for step in result["steps"] if step["action"] == "run"]
        print_line(f"{view.task_id}: {len(ran)} of {len(result['steps'])} parts were done")
        print_table([("✓", " ".join(filter(None, (step["operation"], step["subject"]))), step["run"]) for step in ran])
    if result["gates_missed"]:
        if not json:
            print_line(f"gates not met: {', '.join(result['gates_missed'])}; see brewslm errors")
        raise typer.Exit(GATE_NOT_MET)


@contextmanager
def _problems_of_parts(json: bool) -> Iterator[None]:
    """As `problems`; what stopped a part decides the exit code, for it is the part that failed."""
    from brewslm.pipeline.execute import RunFailed
    from brewslm.reasons import REGISTRY

    with problems(json):
        try:
            yield
        except RunFailed as failed:
            part = REGISTRY.get(getattr(failed.error.reason, "problem", ""))
            if part is None:
                raise
            show_problem(failed.error, json, failed.view.task_id)
            raise typer.Exit(part.exit_code) from None


def _told(file: Path, problem: "FileProblem") -> str:
    """As compilers do, so that an editor can lead there."""
    where = [str(file), *(str(one) for one in (problem.line, problem.column) if one is not None)]
    said = ": ".join(part for part in (":".join(where), problem.where, problem.cause) if part)
    return f"{said}\n  next: {problem.next_step}" if problem.next_step else said
