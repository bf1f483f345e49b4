"""Work that a page waits for: in a thread, with its progress, and its failure as a value; and runs that workers do."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio
from nicegui import ui

from brewslm.errors import StageError
from brewslm.observe.tasks import task
from brewslm.pipeline.execute import RunFailed
from brewslm.pipeline.runs import ENDED, RunView
from brewslm.web.notices import remember, seen
from brewslm.web.parts import Text, box, put
from brewslm.web.running import RunRow

T = TypeVar("T")
LOOK_SECONDS = 0.5
ACTOR = "page"
"""Who asks for what a page does."""


async def attempt(work: Callable[[], T]) -> T | StageError:
    """Do it in a thread; how it was refused or failed is an answer too."""
    try:
        return await anyio.to_thread.run_sync(work)
    except RunFailed as failed:
        return failed.error
    except StageError as refused:
        return refused


class Busy:
    """What is being done at this moment, and how far it is."""

    def __init__(self) -> None:
        with box("div", "busy", role="status") as self._root:
            self._said = Text("span", "", "muted figure")
            self._bar = box("progress", aria_label="Progress", max="1")
        self._what = ""
        self._told: tuple[int, int | None, str] | None = None
        self._timer = ui.timer(LOOK_SECONDS, self._show, active=False)
        self._root.set_visibility(False)

    @property
    def is_on(self) -> bool:
        """Whether something is being done: a second click does nothing."""
        return bool(self._what)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show it for as long as the block lasts."""
        self._what, self._told = what, None
        self._show()
        self._root.set_visibility(True)
        self._timer.activate()
        try:
            yield
        finally:
            self._what = ""
            self._timer.deactivate()
            self._root.set_visibility(False)

    def tell(self, done: int, total: int | None, unit: str, _figures: dict[str, float]) -> None:
        """Progress, from any thread."""
        self._told = done, total, unit

    def _show(self) -> None:
        done, total, unit = self._told or (0, None, "")
        self._said.text = f"{self._what} {f'{done:,} {unit}' if unit else ''}".strip()
        if total:
            put(self._bar, value=str(done / total))
        else:
            self._bar.props.pop("value", None)


def follow(run: RunView, on_end: Callable[[RunView], Awaitable[None]]) -> None:
    """Show a queued run here until it has ended.

    Args:
        on_end: Gets the ended run.
    """
    remember(run.task_id, followed=True)
    with box("ul", "task-list followed", role="status"):
        row = RunRow(run)

    async def look() -> None:
        now = await anyio.to_thread.run_sync(task, run.task_id)
        if now.state not in ENDED:
            row.show(now)
            return
        timer.cancel()
        seen(now.task_id)
        await on_end(now)

    row.show(run)
    timer = ui.timer(LOOK_SECONDS, look)
