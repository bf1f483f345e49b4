"""Run autopilot: a page's action, with a second click that says what will happen."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

import anyio

from brewslm.errors import StageError
from brewslm.observe.figures import counted
from brewslm.observe.status import StatusView
from brewslm.pipeline import execute
from brewslm.pipeline.autopilot import AutopilotRequest
from brewslm.web.notices import remember
from brewslm.web.parts import Text, box, button, link, problem, put
from brewslm.web.projects import ACTOR
from brewslm.web.rail import run_address
from brewslm.web.words import plain


class AutopilotAction:
    """The button, why it can't be pressed, and what it asks before it begins.

    Attributes:
        chosen: What was chosen beside it: fields of the request. None where it can't be used, and the page says why.
    """

    chosen: Callable[[], Mapping[str, Any] | None] | None = None

    def __init__(self, project: int) -> None:
        self._project, self._rows, self._key = project, 0, ""
        self._given: Mapping[str, Any] = {}
        self._running: str | None = None
        self._button = button("Run autopilot", self.ask, "", aria_describedby="autopilot-note")
        self._note = Text("p", "", "muted action-note", id="autopilot-note")
        self.panel = box("div", "confirm", role="region", aria_label="Run autopilot")
        self.panel.set_visibility(False)

    def show(self, view: StatusView, running: str | None) -> None:
        """What may be done at this moment; `running` is the id of a run of this project that has not ended."""
        if self._running and running is None:  # what was said of it is over
            self.panel.set_visibility(False)
        self._running = running
        self._rows = int(next((cell.counts.get("rows", 0) for cell in view.stages if cell.id == "map_commit"), 0))
        note = f"{running} has not ended yet." if running else "" if self._rows else "Autopilot needs rows: import some first."
        self._note.text = note
        put(self._button, aria_disabled=str(bool(note)).lower())
        self._button.classes(add="is-off" if note else "", remove="" if note else "is-off")

    def ask(self) -> None:
        """Say what the second click does; nothing, if it can't be done at this moment."""
        given = {} if self.chosen is None else self.chosen()
        if self._note.text or given is None:
            return
        self._key, self._given = f"page-{uuid4()}", given
        self.panel.clear()
        self.panel.set_visibility(True)
        with self.panel:
            Text("h2", "Run autopilot now?")
            Text("p", will_happen(self._rows))
            if given:
                Text("p", told(given))
            with box("div", "actions"):
                button("Start autopilot", self._start, "primary")
                button("Not now", partial(self.panel.set_visibility, False))

    async def _start(self) -> None:
        request = AutopilotRequest(project=self._project, one_click=True, **self._given)
        refused = None
        try:
            queued = await anyio.to_thread.run_sync(partial(execute.queue, ACTOR, request, idempotency_key=self._key))
        except StageError as error:
            refused = error
        self.panel.clear()
        with self.panel:
            if refused is not None:
                problem(refused)
                return
            with box("p", "", role="status"):
                link(queued.task_id, run_address(self._project, queued.task_id), "mono")
                Text("span", " is queued; a worker takes it, and its progress shows in the top bar.")
            remember(queued.task_id)
        self._note.text = f"{queued.task_id} has not ended yet."


def will_happen(rows: int) -> str:
    """What the second click does, in one breath."""
    return (
        f"{counted(rows, 'row is', 'rows are')} frozen as a new data manifest; preflight checks that training fits this machine; "
        "a new experiment is trained on it, which takes its processor for minutes to hours; it is measured against its base on "
        "held-out rows, and exported. Nothing is promoted, and no row is changed."
    )


def told(given: Mapping[str, Any]) -> str:
    """The choices that it goes by: "It goes by this form: epochs 3, base model path:x." """
    choices = {name: value for name, value in given.items() if name != "settings" and value} | dict(given.get("settings", {}))
    return f"It goes by this form: {', '.join(f'{plain(name)} {value}' for name, value in choices.items())}."
