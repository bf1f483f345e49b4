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
    """Each system's figure with its interval, each gate, and the verdict."""
    card = (view.result or {})["scorecard"]
    metric = card["primary_metric"]
    measured = card["measured"]["name"] if card["measured"] else card["experiment_id"]
    print_line(f"{metric} of {measured} on {card['n']:,} held-out rows")
    for label, count in card["unseen_labels"].items():
        print_line(f"  label {label}: {count:,} held-out rows, and none that was trained on")
    print_table([_system(name, system, metric) for name, system in card["systems"].items()])
    print_table([_gate(gate) for gate in card["gates"]])
    print_line("promotable" if card["promotable"] else "not promotable")
    print_line(_errors(view.task_id, view.result or {}))


def _errors(evaluation: str, result: dict[str, Any]) -> str:
    """What is still wrong, and where to read it."""
    clusters, worse = result["error_clusters"], result["slices_worse"]
    said = f"{clusters:,} error cluster{'s' * (clusters != 1)}, {worse:,} slice{'s' * (worse != 1)} worse than the rest"
    return f"{said}: brewslm errors --evaluation {evaluation}"


def _system(name: str, system: dict[str, Any], metric: str) -> tuple[str, ...]:
    found = system["metrics"][metric]
    prompt = f"({system['prompt']} prompt)" if system["prompt"] else ""
    how = SCORINGS.get(system["scoring"], "")
    interval = f"95 % between {100 * found['low']:.1f} and {100 * found['high']:.1f}"
    return f"  {name}", prompt, f"{100 * found['value']:.1f} %", interval, how, _speed(system["speed"])


def _speed(speed: dict[str, Any] | None) -> str:
    if speed is None:
        return ""
    tokens = f", {speed['tokens_per_second']:,.0f} tokens/s" if speed["tokens_per_second"] else ""
    return f"{speed['rows_per_second']:,.1f} rows/s{tokens}"


def _gate(gate: dict[str, Any]) -> tuple[str, ...]:
    said = "met" if gate["met"] else "undecided" if gate["undecidable"] else "not met"
    sign = "≥" if gate["operator"] == "gte" else "≤"
    held = "nothing to compare with" if gate["threshold"] is None else f"{sign} {gate['threshold']:.3f}"
    held += f" ({gate['over']})" if gate["over"] else ""
    value = "no such metric" if gate["value"] is None else f"{gate['value']:.3f}"
    return f"  gate {gate['gate']}", f"{gate['metric']} {value} {held}", said + ("" if gate["required"] else ", optional")
