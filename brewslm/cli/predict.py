"""brewslm predict."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, print_json, print_line, problems

if TYPE_CHECKING:
    from brewslm.observe.predict import Answer, Input


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(predict)


def predict(
    texts: Annotated[list[str] | None, typer.Argument(help="Texts to ask; left out, JSON lines from stdin.")] = None,
    experiment: Annotated[str | None, typer.Option(help="A trained experiment, such as exp-1.")] = None,
    deployment: Annotated[str | None, typer.Option(help="A slot, such as default, or a version's number.")] = None,
    project: Annotated[int | None, typer.Option(help="The slot's project, where several have such a slot.")] = None,
    file: Annotated[Path | None, typer.Option(help="JSON lines: texts, or objects with the task's input field.")] = None,
    json: Json = False,
) -> None:
    """Ask a trained model: labels, spans or answers with scores."""
    from brewslm.observe.predict import ask_deployment, ask_experiment

    if (experiment is None) == (deployment is None):
        raise typer.BadParameter("name either --experiment or --deployment")
    if texts and file:
        raise typer.BadParameter("give texts or --file, not both")
    with problems(json):
        inputs = _inputs(texts or [], file)
        if experiment is not None:
            answers = ask_experiment(experiment, inputs)
        else:
            answers = ask_deployment(deployment or "", inputs, project)
    if json:
        print_json([answer.model_dump(mode="json") for answer in answers])
        return
    for answer in answers:
        for line in shown(answer):
            print_line(line)


def _inputs(texts: list[str], file: Path | None) -> "list[Input]":
    from brewslm.errors import StageError
    from brewslm.observe.predict import read_inputs
    from brewslm.reasons.refusals import InvalidRequest

    if texts:
        return list(texts)
    try:
        data = file.read_bytes() if file else sys.stdin.buffer.read()
        return read_inputs(data.decode().splitlines(), str(file or "stdin"))
    except (OSError, UnicodeDecodeError) as error:
        raise StageError(InvalidRequest(), f"{file or 'stdin'} can't be read", cause=type(error).__name__) from None


def shown(answer: "Answer") -> list[str]:
    """An answer as lines for a person."""
    if isinstance(answer.output, list):
        spans = [f"  {span['type']}  {span['text']}  ({span['start']} to {span['end']})" for span in answer.output]
        return [answer.input, *(spans or ["  nothing found"]), *_problems(answer)]
    if isinstance(answer.output, dict):
        values = [f"  {name}  {'—' if value is None else value}" for name, value in answer.output.items()]
        return [answer.input, *values, *_problems(answer)]
    if answer.scores:
        score = f"{answer.scores[answer.output]:.1%}".replace("%", " %")
        return [f"{answer.output}  {score}  {answer.input}"]
    return [str(answer.output), *_problems(answer)]


def _problems(answer: "Answer") -> list[str]:
    return [f"  could not be used: {kind} {count}" for kind, count in sorted(answer.problems.items())]
