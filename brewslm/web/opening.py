"""How a page begins: which project it is about; and what is shown where it can't be shown."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import anyio
from nicegui import ui

from brewslm.errors import StageError
from brewslm.observe.projects import ProjectView, projects
from brewslm.web.layout import Crumb, frame
from brewslm.web.problem_page import known_project, problem_page

Page = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Here:
    """Where a page stands.

    Attributes:
        known: Every project, for the switcher.
        project: The one that the page is about.
    """

    known: Sequence[ProjectView]
    project: ProjectView

    def frame(self, name: str, *above: Crumb) -> AbstractContextManager[None]:
        """The page around a block.

        Args:
            name: Of the page, its last crumb.
            above: The pages between the project's and this one.
        """
        root = [("Projects", "/"), (self.project.name, f"/projects/{self.project.id}")]
        return frame(self.known, [*root, *above, (name, "")], self.project)


async def opened(project: str) -> Here:
    """The project of an address.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    known = await anyio.to_thread.run_sync(projects)
    return Here(known, known_project(known, project))


def refusable(page: Page) -> Page:
    """The page; a StageError of it, raised before anything is drawn, is shown in its place."""

    @wraps(page)
    async def shown(*args: Any, **named: Any) -> None:
        try:
            await page(*args, **named)
        except StageError as error:
            if ui.context.client.title is not None:  # its frame is drawn already: a fault, and no refusal
                raise
            problem_page(await anyio.to_thread.run_sync(projects), error)

    return shown
