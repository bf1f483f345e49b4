"""The frame of every page: left rail, top bar, content."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui

from brewslm.observe.projects import ProjectView
from brewslm.web import styles
from brewslm.web.notices import Notices
from brewslm.web.palette import Palette
from brewslm.web.parts import Text, box, button, link
from brewslm.web.rail import ACADEMY, lessons_about, page_path, rail, registered
from brewslm.web.running import RunningTasks

PREFIX = "/ui"
Crumb = tuple[str, str]
"""(text, target); the target of the page itself is ""."""


@contextmanager
def frame(known: Sequence[ProjectView], crumbs: Sequence[Crumb], project: ProjectView | None = None) -> Iterator[None]:
    """The page around the block.

    Args:
        known: Every project, for the switcher.
        crumbs: From the root to this page.
        project: The one that the page is about.
    """
    here = crumbs[-1][0]
    ui.page_title(" · ".join(dict.fromkeys([here, *([project.name] if project else []), "BrewSLM"])))
    ui.add_head_html(styles.head(PREFIX))
    layout = ui.context.client.layout
    with layout:
        with box("nav", "rail", id="rail", aria_label="Main") as left:
            rail(known, project)
        with box("header", "bar") as bar:
            _bar(crumbs, project)
        box("div", "scrim", data_act="close-rail", aria_hidden="true")
        Palette(project)
    bar.move(target_index=0)
    left.move(target_index=0)
    with box("div", "content") as content:
        yield
    ui.skip_link(target=content)


def _bar(crumbs: Sequence[Crumb], project: ProjectView | None) -> None:
    button("Menu", classes="menu", data_act="open-rail", aria_controls="rail", aria_expanded="false")
    with box("nav", "crumbs", aria_label="Breadcrumb"), box("ol"):
        for text, target in crumbs:
            with box("li", "cut"):
                if target:
                    link(text, target)
                else:
                    Text("span", text, aria_current="page")
    with button("", None, "search", data_act="open-palette", aria_label="Search", aria_keyshortcuts="Control+K"):
        Text("span", "Search", aria_hidden="true")
        Text("kbd", "Ctrl K", aria_hidden="true")
    Notices()
    RunningTasks(project.id if project else None)
    _help(project)


def _help(project: ProjectView | None) -> None:
    """The lessons of the course about this page, where there are any."""
    lessons = lessons_about(page_path()) if ACADEMY.path in registered() else []
    if not lessons:
        return
    with box("details", "help popover"):
        with box("summary", "", aria_label="Help for this page"):
            Text("span", "Help", aria_hidden="true")
        with box("div", "popover-panel"):
            Text("p", "Lessons about this page", "muted")
            with box("ul"):
                for lesson in lessons:
                    with box("li"):
                        query = f"?project={project.id}" if project else ""
                        link(lesson.title, f"{ACADEMY.path}/{lesson.name}{query}")
