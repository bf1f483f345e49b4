"""brewslm evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brewslm.cli.console import Detach, Json, print_line, print_table, run_operation

if TYPE_CHECKING:
    from brewslm.pipeline.runs import RunView

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
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Measure an experiment beside its base and cheap baselines on the held-out rows; exit 3 when a gate is not met."""
    from brewslm.stages.evaluate import EvaluateRequest

    if eval_pack.endswith((".yaml", ".yml")):  # a worker may have another current folder
        eval_pack = str(Path(eval_pack).expanduser().absolute())
    view = run_operation(
        EvaluateRequest(experiment=experiment, eval_pack=eval_pack, gold_set=gold_set), json, show, detach=detach
    )
    if view.result is not None and not view.result["promotable"]:
        raise typer.Exit(GATE_NOT_MET)


def show(view: "RunView") -> None:
    """Each system's figure with its interval, each gate, and the verdict."""
    card = (view.result or {})["scorecard"]
    metric = card["primary_metric"]
    held_out = "held-out rows" if card["rows_from"] == "eval" else f"rows of {card['rows_from']}"
    print_line(f"{metric} on {card['n']:,} {held_out}")
    print_table([_system(name, system, metric) for name, system in card["systems"].items()])
    print_table([_gate(gate) for gate in card["gates"]])
    print_line("promotable" if card["promotable"] else "not promotable")


def _system(name: str, system: dict[str, Any], metric: str) -> tuple[str, ...]:
    found = system["metrics"][metric]
    prompt = f"({system['prompt']} prompt)" if system["prompt"] else ""
    interval = f"95 % between {100 * found['low']:.1f} and {100 * found['high']:.1f}"
    return f"  {name}", prompt, f"{100 * found['value']:.1f} %", interval


def _gate(gate: dict[str, Any]) -> tuple[str, ...]:
    said = "met" if gate["met"] else "undecided" if gate["undecidable"] else "not met"
    sign = "≥" if gate["operator"] == "gte" else "≤"
    held = "nothing to compare with" if gate["threshold"] is None else f"{sign} {gate['threshold']:.3f}"
    held += f" ({gate['over']})" if gate["over"] else ""
    value = "no such metric" if gate["value"] is None else f"{gate['value']:.3f}"
    return f"  gate {gate['gate']}", f"{gate['metric']} {value} {held}", said + ("" if gate["required"] else ", optional")
