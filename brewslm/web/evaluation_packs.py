"""The eval packs, and what the gates of one ask of this project's task."""

from collections.abc import Callable, Sequence
from functools import partial

from brewslm.handlers.eval_pack import EvalPack, Gate, TaskSpec
from brewslm.observe.evalpacks import EvalPackView, eval_pack, eval_packs
from brewslm.observe.gatewords import about, condition
from brewslm.observe.training_offer import task_profile_of
from brewslm.web.evaluation_asked import Asked
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import Column, table
from brewslm.web.words import Sign, plain


def packs_tab(asked: Asked) -> Callable[[], object]:
    """Read them.

    Raises:
        StageError(EvalPackInvalid): There is no pack of the name that is asked for.
    """
    profile = task_profile_of(asked.project)
    found = eval_packs(profile)
    chosen = eval_pack(asked.pack or (found[0].pack_id if found else "general"))
    return partial(_draw, asked, profile, found, chosen)


def _draw(asked: Asked, profile: str | None, found: Sequence[EvalPackView], chosen: EvalPack) -> None:
    with box("section", "card", aria_labelledby="packs"):
        Text("h2", "Eval packs", id="packs")
        Text("p", f"Those with gates for {plain(profile)}." if profile else "Of every task: no data is prepared yet.", "muted")

        def name(one: EvalPackView) -> None:
            link(one.pack_id, asked.address("packs", pack=one.pack_id))

        columns = (
            Column[EvalPackView]("Pack", name, "mono"),
            Column[EvalPackView]("What it asks", lambda one: one.description),
            Column[EvalPackView]("Sure", lambda one: f"{100 * one.confidence:g} %", "figure"),
            Column[EvalPackView]("Promotes", _promotes),
        )
        table("Eval packs", columns, found, marked=lambda one: one.pack_id == chosen.pack_id)
        Text("p", "One of your own is a .yaml file: brewslm eval-packs show ./mine.yaml checks it.", "muted")
    specs = [spec for spec in chosen.task_specs if profile in (None, spec.task_profile)]
    with box("section", "card", aria_labelledby="pack"):
        Text("h2", f"Gates of {chosen.display_name}", id="pack")
        Text("p", f"{chosen.description} Version {chosen.version}.", "muted")
        if not specs:
            Text("p", f"It has no gates for {plain(profile or '')}: it can't be used here.", "empty")
        for spec in specs:
            if profile is None:
                Text("h3", plain(spec.task_profile))
            _spec(chosen, spec)


def _promotes(one: EvalPackView) -> None:
    Badge(Sign("done", "yes") if one.promotes else Sign("idle", "no, for tries"))


def _spec(pack: EvalPack, spec: TaskSpec) -> None:
    columns = (
        Column[Gate]("Gate", lambda one: plain(one.gate_id)),
        Column[Gate]("Of", lambda one: plain(about(one))),
        Column[Gate]("Asked for", condition, "figure"),
        Column[Gate]("Sure", lambda one: f"{100 * pack.confidence_of(one):g} %", "figure"),
        Column[Gate]("", lambda one: "required" if one.required else "optional: it is told, and does not decide"),
    )
    table(f"Gates for {plain(spec.task_profile)}", columns, spec.gates)
