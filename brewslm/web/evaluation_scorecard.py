"""The scorecard of one evaluation: its verdict, each gate and why, every system's figures, and where the answers go astray."""

from collections.abc import Callable
from functools import partial

from brewslm.handlers.gates import GateOutcome
from brewslm.metrics.units import PLAIN
from brewslm.observe.evaluations import SYSTEM
from brewslm.observe.gatewords import about, asked_gap, condition, gap, next_for, outcome, why
from brewslm.observe.judge_words import judge_words
from brewslm.observe.scorecards import scorecard_of
from brewslm.stages.evaluate.scorecard import Scorecard
from brewslm.web.evaluation_answers import Told, answers_card, told_of
from brewslm.web.evaluation_asked import Asked
from brewslm.web.parts import Badge, Text, box, link
from brewslm.web.pieces import Column, table
from brewslm.web.scorecard import PROMOTABLE, REFUSED, TRIED, figures, gate_state
from brewslm.web.words import Sign, percent, plain


def scorecard_tab(asked: Asked) -> Callable[[], object]:
    """Read it.

    Raises:
        StageError(UnknownRun, NotAnalysed): See `scorecard_of`.
    """
    card = scorecard_of(asked.evaluation or "").card
    return partial(_draw, asked, card, told_of(card, asked.system))


def _draw(asked: Asked, card: Scorecard, told: Told) -> None:
    _gates(asked, card)
    with box("section", "card", aria_labelledby="figures"):
        Text("h2", "Every system on the same rows", id="figures")
        figures(card)
        if card.judge is not None:
            found = card.systems[SYSTEM].metrics.get(card.judge.metric) if SYSTEM in card.systems else None
            Text("p", judge_words(card.judge, found), "figure")
        _further(card)
    answers_card(asked, card, told)


def _gates(asked: Asked, card: Scorecard) -> None:
    with box("section", "card", aria_labelledby="gates"):
        with box("div", "card-head"):
            Text("h2", f"Gates of {card.eval_pack}", id="gates")
            Badge(PROMOTABLE if card.promotable else TRIED if card.only_tried else REFUSED)
        Text("p", verdict(card))
        with box("p", "muted"):
            link(card.experiment_id, f"/projects/{asked.project}/runs/{card.experiment_id}", "mono")
            held = "held-out rows" if card.rows_from == "eval" else f"rows of {card.rows_from}"
            Text("span", f" on {card.n:,} {held}, held against the pack ")
            link(card.eval_pack, asked.address("packs", pack=card.eval_pack), "mono")
        for label, rows in card.unseen_labels.items():
            with box("p", "note"):
                Badge(Sign("needs", f"label {label}: {rows:,} held-out rows, and none that was trained on"))
        with box("ol", "gates"):
            for gate in sorted(card.gates, key=lambda one: (one.met, not one.required)):
                _gate(asked, gate)


def verdict(card: Scorecard) -> str:
    """In one sentence."""
    missed = [plain(gate.gate_id) for gate in card.gates if gate.required and not gate.met]
    if missed:
        said = f"{len(missed)} of its required gates" if len(missed) > 1 else "one required gate"
        return f"It may not be promoted: {said} is not met ({', '.join(missed)})." if len(missed) == 1 else (
            f"It may not be promoted: {said} are not met ({', '.join(missed)})."
        )  # fmt: skip
    if not card.pack_promotes:
        return "Every required gate is met, but this pack is for tries and promotes nothing: evaluate with another."
    return "It may be promoted: every required gate is met."


def _gate(asked: Asked, gate: GateOutcome) -> None:
    with box("li", f"gate gate-{gate_state(gate)}"):
        with box("div", "event-head"):
            Text("h3", plain(gate.gate_id))
            Badge(Sign(gate_state(gate), outcome(gate)))
            Text("span", f"{plain(about(gate))} {condition(gate)}", "figure")
        _line(gate)
        Text("p", why(gate), "figure")
        step = next_for(gate)
        if step:
            with box("p", "muted"):
                Text("span", f"Next: {step} ")
                more = {"expected": gate.class_id} if gate.class_id else {}
                link("Read the rows that it got wrong", asked.address("rows", verdict="wrong", **more))


def _line(gate: GateOutcome) -> None:
    """The interval that decided, and the mark that it had to clear, on one line."""
    if gate.low is None or gate.high is None or gate.value is None:
        return
    compares = gate.threshold is None
    point = gap(gate) if compares else gate.value
    mark = asked_gap(gate) if gate.threshold is None else gate.threshold
    low, high = _ends(gate, point, mark)

    def place(value: float) -> float:
        return 100 * (value - low) / ((high - low) or 1)

    def tell(value: float) -> str:
        plainly = gate.metric_id in PLAIN
        sign = "+" if compares else ""
        return f"{value:{sign}.3g}" if plainly else f"{100 * value:{sign}.0f}"

    unit = "" if gate.metric_id in PLAIN else " points" if compares else " %"
    with box("div", "gate-line", aria_hidden="true"):
        Text("span", tell(low), "muted figure")
        with box("div", "gate-track"):
            box("span", "gate-span").style(f"left: {place(gate.low):.2f}%; width: {place(gate.high) - place(gate.low):.2f}%")
            box("span", "gate-mark").style(f"left: {place(mark):.2f}%")
            box("span", "gate-point").style(f"left: {place(point):.2f}%")
        Text("span", tell(high) + unit, "muted figure")


def _ends(gate: GateOutcome, point: float, mark: float) -> tuple[float, float]:
    """The scale: 0 to 1 of a share; of a comparison as far to both sides of zero; else from zero to beyond all."""
    every = (gate.low or 0.0, gate.high or 0.0, point, mark)
    if gate.threshold is None:
        far = 1.2 * max(map(abs, every)) or 1.0
        far = far if gate.metric_id in PLAIN else -(-100 * far // 5) * 5 / 100
        return -far, far
    if gate.metric_id not in PLAIN:
        return 0.0, 1.0
    return min(0.0, *every), 1.2 * max(every)


def _further(card: Scorecard) -> None:
    """Metrics besides the primary one, of every system."""
    names = [
        name for name in dict.fromkeys(n for one in card.systems.values() for n in one.metrics) if name != card.primary_metric
    ]
    if not names:
        return
    systems = list(card.systems)
    columns = [Column[str]("Metric", plain)]
    columns += [Column[str](plain(system), partial(_metric, card, system), "figure") for system in systems]
    Text("h3", "Further metrics, with 95 % intervals")
    table("Further metrics", columns, names)


def _metric(card: Scorecard, system: str, name: str) -> str:
    found = card.systems[system].metrics.get(name)
    if found is None:
        return "–"
    if name in PLAIN or name.endswith("_error"):
        return f"{found.value:.3f} ({found.low:.3f} – {found.high:.3f})"
    return f"{percent(found.value)} ({found.low * 100:.1f} – {found.high * 100:.1f})"
