"""The eleven cells: the state of every stage at a glance, joined by a line that carries the rows onward."""

from collections.abc import Sequence

from brewslm.observe.status import StageView
from brewslm.reasons import Stage
from brewslm.web.layout import PREFIX
from brewslm.web.parts import Badge, Text, box, link, moment, put, set_moment
from brewslm.web.rail import BELOW, OF_A_PROJECT, PIPELINE, registered, run_address, shown
from brewslm.web.words import STAGE_SIGNS

EVENT_STAGES = {
    "ingest": Stage.INGESTION,
    "introspect": Stage.INGESTION,
    "map_preview": Stage.INGESTION,
    "map_commit": Stage.INGESTION,
    "clean": Stage.CLEANING,
    "prepare": Stage.PREPARE,
    "preflight": Stage.TRAINING,
    "train": Stage.TRAINING,
    "evaluate": Stage.EVAL,
    "export": Stage.EXPORT,
    "deploy": Stage.DEPLOYMENT,
}
"""Where in the audit stream a lifecycle stage is told; one that is missing here links to every event."""
PAGES = {
    **dict.fromkeys(("ingest", "introspect", "map_preview", "map_commit"), "data"),
    "clean": "cleaning", "prepare": "prepare", "preflight": "training", "train": "runs", "evaluate": "evaluation",
    "export": "export", "deploy": "deployments",
}  # fmt: skip
"""The page where a stage is worked on."""


def way_to(project: int, stage: str) -> tuple[str, str]:
    """Where a stage's cell leads, and how that is said: its page, or its events where it has none."""
    page = PAGES.get(stage, "")
    entry = next((one for one in shown(PIPELINE + BELOW, registered()) if one.path == f"{OF_A_PROJECT}/{page}"), None)
    if entry is not None:
        return entry.address(project), f"Open {entry.name}"
    events = EVENT_STAGES.get(stage)
    return f"/projects/{project}/events" + (f"?stage={events}" if events else ""), "See its events"


_ROWS = {"ingest": "", "map_preview": "?status=rejected", "map_commit": "?status=counts"}
"""Which rows a stage's figure counts."""


def rows_of(project: int, stage: str) -> str:
    """The page of the rows that a stage's figure counts; "" where it counts none, or there is no such page."""
    path = f"{OF_A_PROJECT}/rows"
    return path.replace("{project}", str(project)) + _ROWS[stage] if stage in _ROWS and path in registered() else ""


def figure_way(project: int, stage: StageView) -> str:
    """Where a stage's figure leads: the run that it is about, or the rows that it counts; "" for nowhere."""
    if stage.run_id is not None and (stage.id == "train" or stage.state in ("running", "failed")):
        return run_address(project, stage.run_id)
    return rows_of(project, stage.id)


class LifecycleMap:
    """The map of one project; `show` brings it up to date in place, so that focus and selection stay."""

    def __init__(self, project: int, stages: Sequence[StageView]) -> None:
        with box("ol", "map", aria_label="Lifecycle map"):
            self._cells = [_Cell(project, stage, last=stage is stages[-1]) for stage in stages]
        self.show(stages)

    def show(self, stages: Sequence[StageView]) -> None:
        """The stages at this moment."""
        rows = carried(stages)
        for cell, stage in zip(self._cells, stages, strict=True):
            cell.show(stage, rows.get(stage.id, ""))


def carried(stages: Sequence[StageView]) -> dict[str, str]:
    """What the line carries onward from each stage: rows, where they are known."""
    counts = {stage.id: stage.counts for stage in stages}
    known: dict[str, str] = {}
    for stage, name in (("ingest", "rows"), ("map_commit", "rows"), ("clean", "chunks")):
        if counts.get(stage, {}).get(name):
            known[stage] = f"{counts[stage][name]:,}"
    if counts.get("map_commit", {}).get("accepted"):
        known["map_preview"] = f"{counts['map_commit']['accepted']:,}"
    split = counts.get("prepare", {})
    if split:
        known["prepare"] = f"{split.get('train', 0) + split.get('dev', 0):,} + {split.get('eval', 0):,}"
    return known


class _Cell:
    """One stage and the line behind it."""

    def __init__(self, project: int, stage: StageView, last: bool) -> None:
        self._project = project
        target, self._way = way_to(project, stage.id)
        with box("li", "step") as self._root:
            with box("div", "cell"):
                with link("", target, "cell-link") as self._link:
                    Text("span", f"{stage.number:02}", "muted figure")
                    Text("span", stage.title, "cell-title")
                self._badge = Badge(STAGE_SIGNS[stage.state])
                self._figure = Text("a", "", "cell-figure figure")
                self._since = moment(None, "muted")
            if not last:
                self._onward = rows_of(project, "map_commit" if stage.id == "map_preview" else stage.id)
                with box("span", "line"):
                    self._rows = Text("a", "", "line-rows figure")
        self._last, self._optional = last, stage.optional

    def show(self, stage: StageView, rows: str) -> None:
        """Its state, figure and time."""
        self._badge.show(STAGE_SIGNS[stage.state])
        _lead(self._figure, stage.figure, figure_way(self._project, stage), f"{stage.title}: {stage.figure}")
        set_moment(self._since, stage.since)
        unused = self._optional and stage.state == "not_begun"
        self._root.classes(replace=f"step step-{stage.state}" + (" step-unused" if unused else ""))
        said = f"{stage.number:02} {stage.title}{' (optional)' if unused else ''}: {STAGE_SIGNS[stage.state].word}"
        onward = f", {rows} rows onward" if rows else ""
        put(self._link, aria_label=f"{said}{f', {stage.figure}' if stage.figure else ''}{onward}. {self._way}")
        if not self._last:
            _lead(self._rows, rows, self._onward, f"{rows} rows onward from {stage.title}")


def _lead(made: Text, text: str, target: str, name: str) -> None:
    """Show a figure: a link, or plain text where it leads nowhere."""
    made.text = text
    made.set_visibility(bool(text))
    if target:
        put(made, href=f"{PREFIX}{target}", aria_label=name)  # its own element: a NiceGUI link can't be without an address
    else:
        made.props.pop("href", None)
        made.props.pop("aria-label", None)
