"""The frame of every page: left rail, top bar, content."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui

import brewslm
from brewslm.observe.projects import ProjectView
from brewslm.web import theme
from brewslm.web.parts import Text, box, button, link
from brewslm.web.running import RunningTasks

PREFIX = "/ui"
STYLES = ("brewslm", "pieces", "shell", "data", "training", "release", "observe")
"""Files of static/: the look, what pieces.py makes, then each area's own."""
THEMES = {"light": "Light", "dark": "Dark", "system": "System"}
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
    static = f"{PREFIX}/static"
    ui.add_head_html(
        f"<style>{theme.css()}</style>"
        f'<script src="{static}/brewslm.js?v={brewslm.__version__}"></script>'
        + "".join(f'<link rel="stylesheet" href="{static}/{name}.css?v={brewslm.__version__}">' for name in STYLES)
    )
    layout = ui.context.client.layout
    with layout:
        with box("nav", "rail", id="rail", aria_label="Main") as rail:
            _rail(known, here, project)
        with box("header", "bar") as bar:
            _bar(crumbs, project)
        box("div", "scrim", data_act="close-rail", aria_hidden="true")
    bar.move(target_index=0)
    rail.move(target_index=0)
    with box("div", "content") as content:
        yield
    ui.skip_link(target=content)


def _rail(known: Sequence[ProjectView], here: str, project: ProjectView | None) -> None:
    link("BrewSLM", "/", "brand")
    with box("div", "rail-list"):
        if project is None:
            _entry("Projects", "/", here)
        else:
            _switcher(known, project)
            _entry("Overview", f"/projects/{project.id}", here)
            _entry("Events", f"/projects/{project.id}/events", here)
            Text("p", "Pipeline", "rail-heading")
            _entry("Data", f"/projects/{project.id}/data", here)
    with box("div", "themes", role="radiogroup", aria_label="Theme"):
        for choice, word in THEMES.items():
            button(word, classes="theme", role="radio", aria_checked="false", data_act="theme", data_theme=choice)


def _switcher(known: Sequence[ProjectView], project: ProjectView) -> None:
    with box("details", "switcher popover"):
        with box("summary", "", aria_label=f"Project {project.name}; choose another"):
            Text("span", project.name, "cut")
        with box("ul", "popover-panel"):
            for other in known:
                with box("li"):
                    made = link(other.name, f"/projects/{other.id}", "cut")
                    if other.id == project.id:
                        made.props["aria-current"] = "true"
            with box("li", "apart"):
                link("All projects", "/")


def _entry(text: str, target: str, here: str) -> None:
    made = link(text, target, "rail-entry")
    if text == here:
        made.props["aria-current"] = "page"


def _bar(crumbs: Sequence[Crumb], project: ProjectView | None) -> None:
    button("Menu", classes="menu", data_act="open-rail", aria_controls="rail", aria_expanded="false")
    with box("nav", "crumbs", aria_label="Breadcrumb"), box("ol"):
        for text, target in crumbs:
            with box("li", "cut"):
                if target:
                    link(text, target)
                else:
                    Text("span", text, aria_current="page")
    RunningTasks(project.id if project else None)
