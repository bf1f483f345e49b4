"""What runs at this moment, in the top bar: a count that opens a list with progress."""

import anyio
from nicegui import ui

from brewslm.observe.tasks import tasks
from brewslm.pipeline.runs import RunView
from brewslm.web.parts import Text, box, link, put
from brewslm.web.rail import run_address

POLL_SECONDS = 2.0


class RunningTasks:
    """The count and the list; they follow the runs by themselves.

    Args:
        project: Only this project's; every project's when None.
    """

    def __init__(self, project: int | None) -> None:
        self._project = project
        self._rows: dict[str, RunRow] = {}
        with box("details", "tasks popover"):
            with box("summary"):
                self._icon = box("span", "icon icon-idle", aria_hidden="true")
                self._count = Text("span", "", role="status")
            with box("div", "popover-panel"):
                self._none = Text("p", "Nothing runs or waits at this moment.", "muted")
                self._list = box("ul", "task-list")
        self._show([])
        ui.timer(POLL_SECONDS, self._look)

    async def _look(self) -> None:
        self._show(await anyio.to_thread.run_sync(running, self._project))

    def _show(self, found: list[RunView]) -> None:
        counted = sum(run.state == "running" for run in found)
        self._count.text = said(counted, len(found) - counted)
        self._icon.classes(replace=f"icon icon-{'running' if counted else 'idle'}")
        self._none.set_visibility(not found)
        for gone in self._rows.keys() - {run.task_id for run in found}:
            self._rows.pop(gone).delete()
        for run in found:
            if run.task_id not in self._rows:
                with self._list:
                    self._rows[run.task_id] = RunRow(run)
            self._rows[run.task_id].show(run)


def running(project: int | None) -> list[RunView]:
    """Runs that are running or wait for a worker, oldest first."""
    return sorted(tasks(project, state="running") + tasks(project, state="queued"), key=lambda run: run.created_at)


def said(counted: int, waiting: int) -> str:
    """ "2 running · 1 queued"; what there is none of is left out, unless there is nothing at all."""
    parts = [f"{counted} running"] if counted or not waiting else []
    return " · ".join([*parts, *([f"{waiting} queued"] if waiting else [])])


class RunRow:
    """One run as an item of a list: its id, its operation, its state or progress."""

    def __init__(self, run: RunView) -> None:
        with box("li") as self._root:
            with box("div", "task-head"):
                if run.project is None:
                    Text("span", run.task_id, "mono")
                else:
                    link(run.task_id, run_address(run.project, run.task_id), "mono")
                Text("span", run.operation, "muted")
                self._said = Text("span", "", "muted figure")
            self._bar = box("progress", "", aria_label=f"Progress of {run.task_id}", max="1")

    def show(self, run: RunView) -> None:
        """Its state at this moment."""
        done = run.progress or {}
        total = done.get("total")
        self._said.text = f"{done['done']:,}/{total:,} {done['unit']}" if total else run.state
        self._bar.set_visibility(run.state == "running")
        if total:
            put(self._bar, value=str(done["done"] / total))
        else:
            self._bar.props.pop("value", None)

    def delete(self) -> None:
        """It has ended."""
        self._root.delete()
