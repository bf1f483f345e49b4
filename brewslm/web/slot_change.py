"""What promote, reject or rollback would change, drawn before the second click: from which model to which, how sure."""

from functools import partial

from brewslm.handlers.gates import GateOutcome
from brewslm.metrics.units import said, said_gap
from brewslm.observe.figures import counted
from brewslm.observe.gatewords import condition, outcome
from brewslm.observe.slot_changes import SlotChange, VersionModel
from brewslm.web.parts import Badge, Text, box, link, problem_document
from brewslm.web.pieces import Column, table
from brewslm.web.words import Sign, file_size, plain

VERBS = {"promote": "Promote", "reject": "Reject", "rollback": "Roll back"}
NOTHING = "nothing"


def sentences(change: SlotChange) -> list[str]:
    """What the second click does, one paragraph each."""
    before, after = (one.name if one else NOTHING for one in (change.before, change.after))
    states = f"{change.name}: {plain(change.state_before)} → {plain(change.state_after)}."
    if change.action == "reject":
        return [states, f"What answers in {change.slot} stays: {before}. A rejected version can't be promoted any more."]
    return [
        f"In {change.slot} answers: {before} → {after}. {states}",
        "Its model server is started and asked what the export asked of its file; only if it says the same is the slot moved. "
        "Answers that are being written end on the old one.",
    ]


def draw(project: int, change: SlotChange) -> None:
    """The two models side by side, what lies between them, and the gates of the one that comes."""
    if change.action != "reject" and change.after is not None:
        _models(project, change)
        _difference(change)
        _gates(project, change)
    if change.refusal is not None:
        problem_document(change.refusal)


def _models(project: int, change: SlotChange) -> None:
    def cell(one: VersionModel | None, name: str) -> str | None:
        if one is None:
            return "–"
        if name in ("evaluation", "experiment") and getattr(one, name):
            link(getattr(one, name), f"/projects/{project}/runs/{getattr(one, name)}", "mono")
            return None
        if name == "export":
            link(f"{one.export}:{one.variant}", f"/models/{one.export}:{one.variant}", "mono")
            return None
        return _said(one, name)

    rows = ("version", "export", "experiment", "base_model", "size", "evaluation", "metric")
    before, after = change.before, change.after
    table(
        "Before and after",
        (
            Column("Answers", lambda name: plain(name).capitalize()),
            Column("Before", lambda name: cell(before, name)),
            Column("After", lambda name: cell(after, name)),
        ),
        rows,
    )


def _said(one: VersionModel, name: str) -> str:
    if name == "version":
        return one.name
    if name == "size":
        return "–" if one.size_bytes is None else file_size(one.size_bytes)
    if name == "metric":
        if one.metric is None:
            return "not measured"
        figures = (said(one.metric_name, figure) for figure in (one.metric.value, one.metric.low, one.metric.high))
        return "{} {} ({} to {}) on {}".format(plain(one.metric_name), *figures, counted(one.n, "row"))
    return str(getattr(one, name) or "–")


def _difference(change: SlotChange) -> None:
    apart = change.difference
    if apart is None:
        if change.not_compared:
            Text("p", f"Not held against each other: {change.not_compared}.", "muted")
        return
    gap = partial(said_gap, "rows_right")
    sure = "better" if apart.low > 0 else "worse" if apart.high < 0 else ""
    with box("p", "event-head"):
        Badge(Sign({"better": "done", "worse": "failed"}.get(sure, "idle"), sure or "no sure difference"))
        Text("span", f"{gap(apart.value)} of rows right ({gap(apart.low)} to {gap(apart.high)})", "figure")
        told = f"on the same {counted(apart.n, 'row')}: {apart.fixed:,} right only after, {apart.broken:,} right only before"
        Text("span", told, "muted figure")


def _gates(project: int, change: SlotChange) -> None:
    if not change.gates or change.after is None:
        return
    met = sum(gate.met for gate in change.gates)
    with box("details", "event-details"):
        Text("summary", f"Gates of {change.after.name}: {met} of {len(change.gates)} met")
        columns: tuple[Column[GateOutcome], ...] = (
            Column("Gate", lambda gate: plain(gate.gate_id)),
            Column("Found", lambda gate: "–" if gate.value is None else said(gate.metric_id, gate.value), "figure"),
            Column("Asked for", condition),
            Column("Outcome", _outcome),
        )
        table(f"Gates of {change.after.name}", columns, change.gates)


def _outcome(gate: GateOutcome) -> None:
    Badge(Sign("done" if gate.met else "failed" if gate.required else "needs", outcome(gate)))
