"""Runs that this browser asked for and that ended while nobody looked at them: each is told once, in the top bar."""

from weakref import WeakKeyDictionary

import anyio
import orjson
from nicegui import Client, ui
from nicegui.events import GenericEventArguments

from brewslm.errors import StageError
from brewslm.observe.tasks import task
from brewslm.pipeline.runs import ENDED, RunView
from brewslm.web.parts import Badge, Text, box, button, link, moment
from brewslm.web.rail import run_address
from brewslm.web.words import Sign

MOST = 20
SIGNS = {
    "succeeded": Sign("done", "succeeded"),
    "failed": Sign("failed", "failed"),
    "cancelled": Sign("needs", "cancelled"),
}


_FOLLOWED: WeakKeyDictionary[Client, set[str]] = WeakKeyDictionary()
"""What each open page shows the end of by itself."""


def remember(run_id: str, *, followed: bool = False) -> None:
    """This browser asked for the run: its end is told on whichever page is open then, until `seen`.

    Args:
        followed: This page shows the end by itself: it is told on another page alone.
    """
    if followed:
        _FOLLOWED.setdefault(ui.context.client, set()).add(run_id)
    ui.run_javascript(f"window.brewslm?.remember({_said(run_id)})")


def seen(*run_ids: str) -> None:
    """Their end stands on this page: it is not told again."""
    ui.run_javascript(f"window.brewslm?.forget({_said(list(run_ids))})")


def _said(value: str | list[str]) -> str:
    return orjson.dumps(value).decode()


class Notices:
    """The count and the list of the ends that are told; hidden while there are none."""

    def __init__(self) -> None:
        self._told: dict[str, RunView] = {}
        with box("div", "notices", role="status") as self._live, box("details", "popover") as self._root:
            with box("summary"):
                self._sign = box("span")
                self._news = Text("span", "", "cut")
            with box("div", "popover-panel"):
                self._list = box("ul", "task-list")
                with box("div", "actions"):
                    button("Clear", self._clear, "small")
        self._root.set_visibility(False)
        self._shown_here = _FOLLOWED.setdefault(ui.context.client, set())
        self._live.on("asked", self._look, js_handler="(event) => emit(event.detail)")  # see brewslm.js: every two seconds

    async def _look(self, event: GenericEventArguments) -> None:
        """Tell the ends of those that have ended."""
        wanted = [one for one in event.args if isinstance(one, str)][:MOST]
        ended = await anyio.to_thread.run_sync(ends, [one for one in wanted if one not in self._told.keys() | self._shown_here])
        if ended:
            self._told |= {run.task_id: run for run in ended}
            seen(*(run.task_id for run in ended))
            self._draw()

    def _draw(self) -> None:
        newest = list(self._told.values())[-1]
        self._root.set_visibility(True)
        self._news.text = f"{newest.task_id} {newest.state}" if len(self._told) == 1 else f"{len(self._told)} runs ended"
        self._sign.classes(replace=f"icon icon-{SIGNS[newest.state].token} is-{SIGNS[newest.state].token}")
        self._list.clear()
        with self._list:
            for run in reversed(self._told.values()):
                with box("li", "task-head"):
                    if run.project is None:
                        Text("span", run.task_id, "mono")
                    else:
                        link(run.task_id, run_address(run.project, run.task_id), "mono")
                    Text("span", run.operation, "muted cut")
                    Badge(SIGNS[run.state])
                    moment(run.ended_at, "muted")

    def _clear(self) -> None:
        self._told.clear()
        self._root.set_visibility(False)


def ends(run_ids: list[str]) -> list[RunView]:
    """Those of the runs that have ended; one that is not there any more is left out."""
    found = []
    for run_id in run_ids:
        try:
            run = task(run_id)
        except StageError:
            continue
        if run.state in ENDED:
            found.append(run)
    return found
