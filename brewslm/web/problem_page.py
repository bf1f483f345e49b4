"""A page that can't be shown: what failed, why, and where to go on."""

from collections.abc import Sequence

from nicegui import ui

from brewslm.errors import StageError
from brewslm.observe.projects import ProjectView
from brewslm.reasons.refusals import UnknownProject
from brewslm.web.layout import PREFIX, frame
from brewslm.web.parts import Text, box, link, problem


def problem_page(known: Sequence[ProjectView], error: StageError) -> None:
    """Show the error in the frame of every page, with the HTTP status of its reason."""
    ui.context.client.status_code = error.reason.status
    with frame(known, [("Projects", "/"), ("Not shown", "")]):
        with box("div", "title"):
            Text("h1", "This page can't be shown")
        with box("section", "card", aria_label="Problem"):
            problem(error)
            with box("p", "note"):
                asked = ui.context.client.request.url
                if asked.query:
                    link("This page as it is without what was asked for", asked.path.removeprefix(PREFIX) or "/")
                link("All projects", "/")


def known_project(known: Sequence[ProjectView], asked: str) -> ProjectView:
    """The project of an address.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    for one in known:
        if str(one.id) == asked:
            return one
    raise StageError(UnknownProject(), where=f"project {asked}", next_step="Choose one from the list of projects.")
