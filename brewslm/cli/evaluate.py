"""brewslm evaluate."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import Detach, Json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView
    from brewslm.stages.evaluate.judging import JudgeRequest

GATE_NOT_MET = 3
TARGETS = "checkpoint-12, export-1:gguf-q8_0, deployment-1, path:FOLDER, path:FILE.gguf, http://HOST/v1#MODEL"
SCORINGS = {
    "label_log_probability": "labels by probability", "head": "by its head", "constrained": "written under a grammar",
    "constrained_json": "written as JSON", "strict_parsing": "written freely, strictly read", "free_text": "written freely",
    "log_likelihood": "given texts measured",
}  # fmt: skip
"""How a system's answers were had, in words."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(evaluate)


def evaluate(
    experiment: Annotated[str, typer.Option(help="A trained experiment, such as exp-1.")],
    eval_pack: Annotated[
        str, typer.Option(help="A preset (brewslm eval-packs list), or the path of a .yaml file of your own.")
    ] = "general",
    gold_set: Annotated[
        str | None, typer.Option(help="A locked gold set, such as support or support@2, instead of the eval split.")
    ] = None,
    judge_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible judge, up to /v1. Held-out rows are sent there.")
    ] = None,
    judge_model: Annotated[str | None, typer.Option(help="The name that the judge answers to.")] = None,
    judge_labels: Annotated[Path | None, typer.Option(help="JSON lines that people have judged, to hold it against.")] = None,
    judge_rows: Annotated[int, typer.Option(min=1, help="So many held-out rows are judged, at most.")] = 100,
    judge_seconds: Annotated[float, typer.Option(min=1, help="The longest that the judge may take.")] = 900,
    target: Annotated[str | None, typer.Option(help=f"What to measure in its place: {TARGETS}.")] = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Measure an experiment beside its base and cheap baselines on the held-out rows; exit 3 when a gate is not met."""
    from brewslm.stages.evaluate import EvaluateRequest

    if eval_pack.endswith((".yaml", ".yml")):  # a worker may have another current folder
        eval_pack = str(Path(eval_pack).expanduser().absolute())
    with problems(json):
        judge = _judge(judge_url, judge_model, judge_labels, judge_rows, judge_seconds)
    request = EvaluateRequest(experiment=experiment, eval_pack=eval_pack, target=target, gold_set=gold_set, judge=judge)
    view = run_operation(request, json, show, detach=detach)
    if view.result is not None and _missed(view.result["scorecard"]):
        raise typer.Exit(GATE_NOT_MET)


def _judge(url: str | None, model: str | None, labels: Path | None, rows: int, seconds: float) -> "JudgeRequest | None":
    """The judge that was asked for, and on stderr that rows go there.

    Raises:
        StageError(InvalidRequest): It lacks a model, or its address can't be used.
    """
    from pydantic import ValidationError

    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest
    from brewslm.stages.evaluate.judging import JudgeRequest

    if url is None:
        return None
    what = "the judge can't be asked so"
    if model is None:
        raise StageError(InvalidRequest(), what, where="--judge-model", next_step="Name the model that the judge answers to.")
    at = str(labels.expanduser().absolute()) if labels else None
    try:
        made = JudgeRequest(url=url, model=model, labels=at, rows=rows, seconds=seconds)
    except ValidationError as error:
        cause = error.errors()[0]["msg"].removeprefix("Value error, ")
        next_step = "Give an address such as http://127.0.0.1:8080/v1."
        raise StageError(InvalidRequest(), what, where="--judge-url", cause=cause, next_step=next_step) from None
    print(f"note: up to {rows:,} held-out rows with their answers are sent to {url}", file=sys.stderr)
    return made


def show(view: "RunView") -> None:
    """Each system's figure with its interval, what the rows can tell, each gate, and the verdict."""
    card = (view.result or {})["scorecard"]
    metric = card["primary_metric"]
    measured = card["measured"]["name"] if card["measured"] else card["experiment_id"]
    held_out = "held-out rows" if card["rows_from"] == "eval" else f"rows of {card['rows_from']}"
    print_line(f"{metric} of {measured} on {card['n']:,} {held_out}, with 95 % intervals")
    for label, count in card["unseen_labels"].items():
        print_line(f"  label {label}: {count:,} held-out rows, and none that was trained on")
    print_table([_system(name, system, metric) for name, system in card["systems"].items()])
    if card["judge"]:
        print_line(_judged(card["judge"], card["systems"]))
    print_line(card["power"]["sentence"])
    print_line("")
    print_table(
        [_gate(gate) for gate in card["gates"]], (f"gates of {card['eval_pack']}", "tuned", "asked for", "surely", "rows", "")
    )  # fmt: skip
    print_line("")
    print_line(_errors(view.task_id, view.result or {}))
    print_line(_verdict(card))


def _errors(evaluation: str, result: dict[str, Any]) -> str:
    """What is still wrong, and where to read it."""
    clusters, worse = result["error_clusters"], result["slices_worse"]
    said = f"{clusters:,} error cluster{'s' * (clusters != 1)}, {worse:,} slice{'s' * (worse != 1)} worse than the rest"
    return f"{said}: brewslm errors --evaluation {evaluation}"


def _system(name: str, system: dict[str, Any], metric: str) -> tuple[str, ...]:
    from brewslm.metrics.units import said

    found = system["metrics"][metric]
    asked = f"{system['prompt']} prompt" if system["prompt"] else ""
    asked += f", {system['shots']} examples of train before it" if system["shots"] else ""
    how = ", ".join(part for part in (asked, SCORINGS.get(system["scoring"], "")) if part)
    interval = f"({said(metric, found['low'])} – {said(metric, found['high'])})"
    return f"  {name}", said(metric, found["value"]), interval, how, _speed(system["speed"])


def _speed(speed: dict[str, Any] | None) -> str:
    if speed is None:
        return ""
    tokens = f", {speed['tokens_per_second']:,.0f} tokens/s" if speed["tokens_per_second"] else ""
    return f"{speed['rows_per_second']:,.1f} rows/s{tokens}"


def _judged(judge: dict[str, Any], systems: dict[str, Any]) -> str:
    from brewslm.handlers.base import Metric
    from brewslm.observe.judge_words import judge_words
    from brewslm.stages.evaluate.judging import JudgeReport

    found = systems["tuned"]["metrics"].get(judge["metric"])
    return f"  {judge_words(JudgeReport.model_validate(judge), Metric.model_validate(found) if found else None)}"


def _gate(gate: dict[str, Any]) -> tuple[str, ...]:
    """One line of the table: name, the tuned figure, what was asked for, what is sure, rows, and what came of it."""
    from brewslm.handlers.gates import GateOutcome
    from brewslm.metrics.units import said
    from brewslm.observe.gatewords import about, bound, condition, outcome

    one = GateOutcome.model_validate(gate)
    value = "–" if one.value is None else said(one.metric_id, one.value)
    rows = f"{one.n:,}" if one.n else ""
    return f"  {one.gate_id}", f"{about(one)} {value}", condition(one), bound(one), rows, outcome(one)


def _missed(card: dict[str, Any]) -> list[str]:
    """The required gates that are not met."""
    return [gate["gate_id"] for gate in card["gates"] if gate["required"] and not gate["met"]]


def _verdict(card: dict[str, Any]) -> str:
    missed = _missed(card)
    if missed:
        return f"not promotable: {', '.join(missed)}"
    if not card["pack_promotes"]:
        return f"every gate is met, but {card['eval_pack']} is for tries and promotes nothing: measure it by another pack"
    return "promotable"
