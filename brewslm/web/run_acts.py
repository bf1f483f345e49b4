"""What can be done with a run: cancel, pause, resume; and what a trained one is for."""

from collections.abc import Callable
from functools import partial

from brewslm.errors import StageError
from brewslm.observe.experiments import OPERATION
from brewslm.pipeline import execute
from brewslm.pipeline.lifecycle import OPERATIONS
from brewslm.pipeline.runs import RunView
from brewslm.web.confirm import Confirm
from brewslm.web.doing import attempt
from brewslm.web.parts import Text, box, button, link, problem
from brewslm.web.projects import ACTOR

RESUMED_FROM = ("interrupted", "failed", "cancelled", "paused")


class RunActs:
    """The buttons that fit its state, and the panel of the second click."""

    def __init__(self, run: RunView) -> None:
        self._run, self._drawn = run, ""
        self._buttons = box("div", "acts")
        self._confirm: Confirm | None = None

    def place_panel(self) -> None:
        """Put the panel here."""
        self._confirm = Confirm(f"Change {self._run.task_id}")

    def show(self, run: RunView) -> None:
        """The run at this moment."""
        self._run = run
        if run.state == self._drawn:
            return
        if self._drawn and self._confirm is not None:
            self._confirm.close()  # what was asked of the former state is over
        self._drawn = run.state
        self._buttons.clear()
        with self._buttons:
            if run.state == "running" and OPERATIONS[run.operation].pausable:
                button("Pause", self._ask_pause)
            if run.state in ("queued", "running", "interrupted"):
                button("Cancel", self._ask_cancel)
            if run.state in RESUMED_FROM:
                button("Resume", self._ask_resume, "primary")
            if run.operation == OPERATION and run.state == "succeeded":
                address = f"/projects/{run.project}"
                link("Train again", f"{address}/training?from={run.task_id}", "button")
                link("Evaluate", f"{address}/evaluation?experiment={run.task_id}", "button primary")

    def _ask_cancel(self) -> None:
        run = self._run
        kept = "Its checkpoints stay, and Resume goes on from the last one." if OPERATIONS[run.operation].pausable else ""
        said = [f"{run.task_id}: {run.state} → cancelled, within about two seconds.", *([kept] if kept else [])]
        self._ask(f"Cancel {run.task_id}?", said, f"Cancel {run.task_id} now", execute.cancel, "is asked to stop.")

    def _ask_pause(self) -> None:
        run = self._run
        said = [
            f"{run.task_id}: running → paused. It writes a checkpoint after its present step, and gives the machine free.",
            "Resume goes on there, with the same weights as if it had never waited.",
        ]
        self._ask(f"Pause {run.task_id}?", said, f"Pause {run.task_id} now", execute.pause, "waits after its present step.")

    def _ask_resume(self) -> None:
        run = self._run
        said = [f"{run.task_id}: {run.state} → queued. A worker takes it, and it takes this machine's processor until it ends."]
        if OPERATIONS[run.operation].pausable:
            said.append("It goes on from its last whole checkpoint; without one, from the beginning.")
        resume = partial(execute.resume, detach=True)
        self._ask(f"Resume {run.task_id}?", said, f"Resume {run.task_id} now", resume, "is queued.")

    def _ask(self, title: str, sentences: list[str], act: str, do: Callable[[str, str], object], done: str) -> None:
        run_id = self._run.task_id

        async def doing() -> None:
            told = await attempt(partial(do, ACTOR, run_id))
            if isinstance(told, StageError):
                problem(told)
            else:
                Text("p", f"{run_id} {done}", role="status")

        assert self._confirm is not None
        self._confirm.ask(title, sentences, act, doing)
