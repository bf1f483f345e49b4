"""/ui/projects/{id}: where am I, what happened, what is wrong, what next."""

from dataclasses import dataclass

import anyio
from nicegui import ui

from brewslm.observe.events import EventView, events
from brewslm.observe.figures import counted
from brewslm.observe.next_step import NextStep
from brewslm.observe.projects import ProjectView
from brewslm.observe.scorecards import ScorecardView, scorecard
from brewslm.observe.status import StatusView, status
from brewslm.observe.trace import TracePage, trace
from brewslm.web.autopilot import AutopilotAction
from brewslm.web.event_list import event_rows
from brewslm.web.lifecycle_map import LifecycleMap, way_to
from brewslm.web.loss_chart import LossChart
from brewslm.web.opening import opened
from brewslm.web.parts import Text, box, button, link, put
from brewslm.web.rail import OF_A_PROJECT, registered, run_address
from brewslm.web.running import POLL_SECONDS, running
from brewslm.web.scorecard import scorecard_card

LATEST = 6


@dataclass(frozen=True)
class Seen:
    """What the page shows, read at one moment.

    Attributes:
        busy: The first run of this project that has not ended.
        experiment: The newest training run.
    """

    view: StatusView
    latest: list[EventView]
    card: ScorecardView | None
    busy: str | None
    experiment: str | None


def see(project: int) -> Seen:
    """Read it.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    view = status(project)
    at_work = running(project)
    return Seen(
        view=view,
        latest=events(project, limit=LATEST),
        card=scorecard(project),
        busy=at_work[0].task_id if at_work else None,
        experiment=next((cell.run_id for cell in view.stages if cell.id == "train"), None),
    )


async def page(project: str, act: str | None = None) -> None:
    """The overview; with `act` "autopilot", it asks at once whether to run it."""
    here = await opened(project)
    found = here.project
    seen = await anyio.to_thread.run_sync(see, found.id)
    first = await anyio.to_thread.run_sync(trace, seen.experiment) if seen.experiment else None
    with here.frame("Overview"):
        shown = _Overview(found, seen, first)
        if act == "autopilot":
            shown.autopilot.ask()
    ui.timer(POLL_SECONDS, shown.look)


class _Overview:
    """The page's parts; each is brought up to date in place, and only where something has changed."""

    def __init__(self, project: ProjectView, seen: Seen, first: TracePage | None) -> None:
        self._project, self._seen = project, seen
        with box("div", "title"):
            with box("div"):
                Text("h1", project.name)
                self._line = Text("p", "", "muted")
            self.autopilot = AutopilotAction(project.id)
        with box("section", "card card-map", aria_labelledby="map"):
            Text("h2", "Lifecycle", id="map")
            self._map = LifecycleMap(project.id, seen.view.stages)
        with box("div", "columns"):
            with box("div", "column-of-cards"):
                with box("section", "card", aria_labelledby="next"):
                    Text("h2", "Next best step", id="next")
                    self._next = _NextStep(project.id)
                self._card_box = box("section", "card", aria_label="Scorecard")
            with box("div", "column-of-cards"):
                with box("section", "card", aria_labelledby="latest"):
                    with box("div", "card-head"):
                        Text("h2", "Latest events", id="latest")
                        link("All events", f"/projects/{project.id}/events")
                    self._events = box("div")
                with box("section", "card", aria_labelledby="loss"):
                    Text("h2", "Training loss", id="loss")
                    self._loss_box = box("div")
        self._loss: LossChart | None = None
        self._draw_loss(first)
        self._draw_card()
        self._draw_events()
        self._show()

    async def look(self) -> None:
        """Read again, and show what has changed."""
        before, now = self._seen, await anyio.to_thread.run_sync(see, self._project.id)
        self._seen = now
        if now != before:
            self._show()
        if now.latest != before.latest:
            self._draw_events()
        if now.card != before.card:
            self._draw_card()
        if now.experiment is not None and now.experiment != before.experiment:
            self._draw_loss(await anyio.to_thread.run_sync(trace, now.experiment))
        elif self._loss is not None:
            with self._loss_box:
                await self._loss.look()

    def _show(self) -> None:
        view = self._seen.view
        done = sum(cell.state == "done" for cell in view.stages)
        gaps = f" · {counted(view.gaps, 'event')} could not be written" if view.gaps else ""
        self._line.text = f"{done} of {len(view.stages)} stages done{gaps}"
        self._map.show(view.stages)
        self._next.show(view)
        self.autopilot.show(view, self._seen.busy)

    def _draw_events(self) -> None:
        self._events.clear()
        with self._events:
            if not self._seen.latest:
                Text("p", "Nothing has happened yet: the first import writes the first event.", "empty")
            event_rows(self._project.id, self._seen.latest[::-1])

    def _draw_card(self) -> None:
        self._card_box.clear()
        with self._card_box:
            if self._seen.card is None:
                Text("h2", "Scorecard")
                Text("p", "No model was measured yet: evaluate holds it against its base on rows it never saw.", "empty")
            else:
                scorecard_card(self._project.id, self._seen.card)

    def _draw_loss(self, first: TracePage | None) -> None:
        self._loss_box.clear()
        with self._loss_box:
            if self._seen.experiment is None or first is None:
                Text("p", "No experiment was trained yet: its loss is drawn here while it learns.", "empty")
            else:
                self._loss = LossChart(self._seen.experiment, first)


_ACTS = {
    "mend": "Look at {run}", "wait": "Watch {run}", "drift": "See the drift checks", "import": "Import rows",
    "prepare": "Prepare the rows", "train": "Train an experiment", "evaluate": "Measure it", "export": "Export it",
    "deploy": "Make a version of it", "promote": "Promote it", "serve": "See the deployments", "ask": "Ask it",
}  # fmt: skip
_PAGES = {
    "drift": "deployments", "import": "data?new=1", "prepare": "prepare", "train": "training", "evaluate": "evaluation",
    "export": "export", "deploy": "deployments", "promote": "deployments", "serve": "deployments", "ask": "playground",
}  # fmt: skip


def done_at(project: int, step: NextStep) -> tuple[str, str]:
    """The page where a step is done, and what its button says."""
    page = _PAGES.get(step.what, "")
    if step.run is not None:
        return run_address(project, step.run), _ACTS[step.what].format(run=step.run)
    if f"{OF_A_PROJECT}/{page.partition('?')[0]}" in registered():
        return f"/projects/{project}/{page}", _ACTS[step.what]
    target, said = way_to(project, step.stage)
    return target, "See the events of this stage" if said == "See its events" else said


class _NextStep:
    """One thing to do, with its reason."""

    def __init__(self, project: int) -> None:
        self._project = project
        self._reason = Text("p", "")
        with box("div", "actions"):
            self._way = link("", f"/projects/{project}", "button primary")
        with box("div", "command"):
            self._command = Text("code", "")
            self._copy = button("Copy", data_act="copy", aria_label="Copy the command")

    def show(self, view: StatusView) -> None:
        """The step at this moment."""
        step = view.next
        title = next((f"{cell.number:02} {cell.title}: " for cell in view.stages if cell.id == step.stage), "")
        self._reason.text = f"{title}{step.reason}."
        self._command.text = step.command
        put(self._copy, data_text=step.command)
        target, self._way.text = done_at(self._project, step)
        put(self._way, href=target)
