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
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Measure an experiment beside its base and cheap baselines on the held-out rows; exit 3 when a gate is not met."""
    from brewslm.stages.evaluate import EvaluateRequest

    if eval_pack.endswith((".yaml", ".yml")):  # a worker may have another current folder
        eval_pack = str(Path(eval_pack).expanduser().absolute())
    with problems(json):
        judge = _judge(judge_url, judge_model, judge_labels, judge_rows, judge_seconds)
    request = EvaluateRequest(experiment=experiment, eval_pack=eval_pack, gold_set=gold_set, judge=judge)
    view = run_operation(request, json, show, detach=detach)
    if view.result is not None and not view.result["promotable"]:
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
    """Each system's figure with its interval, each gate, and the verdict."""
    card = (view.result or {})["scorecard"]
    metric = card["primary_metric"]
    held_out = "held-out rows" if card["rows_from"] == "eval" else f"rows of {card['rows_from']}"
    print_line(f"{metric} on {card['n']:,} {held_out}")
    print_table([_system(name, system, metric) for name, system in card["systems"].items()])
    if card["judge"]:
        print_line(_judged(card["judge"], card["systems"]))
    print_table([_gate(gate) for gate in card["gates"]])
    print_line("promotable" if card["promotable"] else "not promotable")


def _system(name: str, system: dict[str, Any], metric: str) -> tuple[str, ...]:
    found = system["metrics"][metric]
    prompt = f"({system['prompt']} prompt)" if system["prompt"] else ""
    interval = f"95 % between {100 * found['low']:.1f} and {100 * found['high']:.1f}"
    return f"  {name}", prompt, f"{100 * found['value']:.1f} %", interval


def _judged(judge: dict[str, Any], systems: dict[str, Any]) -> str:
    name = f"judge {judge['model']} at {judge['host']}"
    if judge["problem"]:
        return f"  {name}: no figure, {judge['problem']}"
    found = systems["tuned"]["metrics"].get(judge["metric"])
    figure = f"{judge['metric']} {found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})" if found else "no figure"
    kappa = judge["agreement"] or {"value": None}
    agrees = "agreement unknown" if kappa["value"] is None else (
        f"kappa {kappa['value']:.2f} ({kappa['low']:.2f} to {kappa['high']:.2f}) with {judge['agreement_with']} on {kappa['n']}"
    )  # fmt: skip
    return f"  {name}: {figure} on {judge['judged']:,} rows; {agrees}"


def _gate(gate: dict[str, Any]) -> tuple[str, ...]:
    said = "met" if gate["met"] else "undecided" if gate["undecidable"] else "not met"
    sign = "≥" if gate["operator"] == "gte" else "≤"
    held = "nothing to compare with" if gate["threshold"] is None else f"{sign} {gate['threshold']:.3f}"
    held += f" ({gate['over']})" if gate["over"] else ""
    value = "no such metric" if gate["value"] is None else f"{gate['value']:.3f}"
    return f"  gate {gate['gate']}", f"{gate['metric']} {value} {held}", said + ("" if gate["required"] else ", optional")
