"""brewslm eval-packs."""

from typing import TYPE_CHECKING, Annotated

import typer

from brewslm.cli.console import Json, print_json, print_line, print_table, problems

if TYPE_CHECKING:
    from brewslm.handlers.eval_pack import EvalPack, Gate

TaskProfileOption = Annotated[str | None, typer.Option("--task-profile", help="Only of this task profile.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    packs = typer.Typer(help="Eval packs: the gates that decide whether a model may be promoted.", no_args_is_help=True)
    packs.command("list")(listed)
    packs.command("show")(shown)
    packs.command("names")(names)
    app.add_typer(packs, name="eval-packs")


def listed(task_profile: TaskProfileOption = None, json: Json = False) -> None:
    """The packs that come with the product."""
    from brewslm.observe.evalpacks import eval_packs

    found = eval_packs(task_profile)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    rows = []
    for one in found:
        tasks = "every task" if len(one.gates) > 1 else next(iter(one.gates))
        rows.append((one.pack_id, tasks, f"{100 * one.confidence:g} % sure", one.description))
    print_table(rows, ("pack", "for", "gates are", ""))
    print_line("its gates:  brewslm eval-packs show PACK")
    print_line("your own:   brewslm eval-packs show ./mine.yaml  checks it, brewslm evaluate --eval-pack ./mine.yaml uses it")


def shown(
    pack: Annotated[str, typer.Argument(help="A pack's name, or the path of a .yaml file of your own.")],
    task_profile: TaskProfileOption = None,
    json: Json = False,
) -> None:
    """A pack's gates; a file of your own is checked."""
    from brewslm.observe.evalpacks import eval_pack

    with problems(json):
        found = eval_pack(pack)
        specs = found.task_specs if task_profile is None else (found.spec(task_profile),)
    if json:
        print_json(found.model_copy(update={"task_specs": specs}).model_dump(mode="json"))
        return
    print_line(f"{found.display_name} ({found.pack_id}, version {found.version}): {found.description}")
    for spec in specs:
        print_line(spec.task_profile)
        for cut in spec.slices:
            print_line(f"  slice {cut.slice_id}: {_slice(cut.model_dump(exclude_unset=True))}")
        print_table([_gate(found, gate) for gate in spec.gates])


def names(
    task_profile: Annotated[str, typer.Argument(help="Such as classification.")],
    json: Json = False,
) -> None:
    """What gates of a task profile may name: metrics, metrics of a class, and systems to compare with."""
    from brewslm.observe.evalpacks import gate_names

    with problems(json):
        found = gate_names(task_profile)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    for one in found:
        print_line(f"{one.task_profile} scored as {one.scoring_mode}")
        rows = [("metric_id", ", ".join(one.metrics)), ("with class_id", ", ".join(one.class_metrics) or "none")]
        print_table([(f"  {name}", said) for name, said in [*rows, ("better_than, no_worse_than", ", ".join(one.systems))]])


def _gate(pack: "EvalPack", gate: "Gate") -> tuple[str, ...]:
    from brewslm.observe.gatewords import about, condition

    weight = "" if gate.required else "optional"
    return f"  {gate.gate_id}", about(gate), condition(gate), f"{100 * pack.confidence_of(gate):g} % sure", weight


def _slice(cut: dict[str, object]) -> str:
    said = [f"{name} {value}" for name, value in cut.items() if name not in ("slice_id", "field")]
    return f"{cut['field']} {', '.join(said)}"
