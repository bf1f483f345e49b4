"""brewslm evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import Detach, Json, print_line, print_table, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

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
    target: Annotated[str | None, typer.Option(help=f"What to measure in its place: {TARGETS}.")] = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Measure an experiment beside its base and cheap baselines on the held-out rows; exit 3 when a gate is not met."""
    from brewslm.stages.evaluate import EvaluateRequest

    if eval_pack.endswith((".yaml", ".yml")):  # a worker may have another current folder
        eval_pack = str(Path(eval_pack).expanduser().absolute())
    view = run_operation(EvaluateRequest(experiment=experiment, eval_pack=eval_pack, target=target), json, show, detach=detach)
    if view.result is not None and not view.result["promotable"]:
        raise typer.Exit(GATE_NOT_MET)


def show(view: "RunView") -> None:
    """Each system's figure with its interval, what the rows can tell, each gate, and the verdict."""
    card = (view.result or {})["scorecard"]
    metric = card["primary_metric"]
    measured = card["measured"]["name"] if card["measured"] else card["experiment_id"]
    print_line(f"{metric} of {measured} on {card['n']:,} held-out rows, with 95 % intervals")
    for label, count in card["unseen_labels"].items():
        print_line(f"  label {label}: {count:,} held-out rows, and none that was trained on")
    print_table([_system(name, system, metric) for name, system in card["systems"].items()])
    print_line(card["power"]["sentence"])
    print_line("")
    print_table(
        [_gate(gate) for gate in card["gates"]], (f"gates of {card['eval_pack']}", "tuned", "asked for", "surely", "rows", "")
    )  # fmt: skip
    print_line("")
    print_line(_verdict(card))
    print_line(_errors(view.task_id, view.result or {}))


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


def _gate(gate: dict[str, Any]) -> tuple[str, ...]:
    """One line of the table: name, the tuned figure, what was asked for, what is sure, rows, and what came of it."""
    from brewslm.handlers.gates import GateOutcome
    from brewslm.metrics.units import said
    from brewslm.observe.gatewords import about, bound, condition, outcome

    one = GateOutcome.model_validate(gate)
    value = "–" if one.value is None else said(one.metric_id, one.value)
    rows = f"{one.n:,}" if one.n else ""
    return f"  {one.gate_id}", f"{about(one)} {value}", condition(one), bound(one), rows, outcome(one)


def _verdict(card: dict[str, Any]) -> str:
    missed = [gate["gate_id"] for gate in card["gates"] if gate["required"] and not gate["met"]]
    return "promotable" if card["promotable"] else f"not promotable: {', '.join(missed)}"
