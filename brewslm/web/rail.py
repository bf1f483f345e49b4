"""The left rail: every page of look.md in its order. One that the app has not registered is not shown."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, cast, get_args

from nicegui import app, ui

from brewslm.academy import Lesson, lessons_of
from brewslm.academy.course import Page
from brewslm.observe.projects import ProjectView
from brewslm.web.parts import Text, box, button, link

OF_A_PROJECT = "/projects/{project}"
THEMES = {"light": "Light", "dark": "Dark", "system": "System"}


class Entry(NamedTuple):
    """One line of the rail.

    Attributes:
        path: The page, as it is registered.
        also: Other pages that belong to it, with all below them.
    """

    name: str
    path: str
    also: tuple[str, ...] = ()

    def leads_to(self, path: str) -> bool:
        """Whether a page is this entry's, or stands below it."""
        own = (*self.also, self.path) if self.path != OF_A_PROJECT else ()
        return path == self.path or any(path == one or path.startswith(f"{one}/") for one in own)

    def address(self, project: int | None) -> str:
        """Where it leads from a page of this project."""
        if OF_A_PROJECT in self.path:
            return self.path.replace("{project}", str(project))
        return f"{self.path}?project={project}" if project is not None else self.path


def _of(name: str, page: str, *also: str) -> Entry:
    return Entry(name, f"{OF_A_PROJECT}/{page}", tuple(also))


OVERVIEW = Entry("Overview", OF_A_PROJECT)
PIPELINE = (
    _of("Data", "data", f"{OF_A_PROJECT}/rows", "/rows"),
    _of("Cleaning", "cleaning"),
    _of("Gold set", "gold"),
    _of("Prepare", "prepare"),
    _of("Training Config", "training"),
    _of("Runs", "runs"),
    _of("Evaluation", "evaluation"),
    _of("Compression", "compression"),
    _of("Export", "export", "/models"),
)
BELOW = (
    _of("Deployments", "deployments"),
    _of("Playground", "playground"),
    _of("Observability", "events", *(f"{OF_A_PROJECT}/{page}" for page in ("failures", "explorer", "support"))),
    _of("Lab Journal", "journal"),
)
ACADEMY, SETTINGS = Entry("Academy", "/academy"), Entry("Settings", "/settings")
_SLUGS: dict[str, Page] = {"events": "timeline", "rows": "data"}
"""What the course calls a page whose address has another name."""


def registered() -> set[str]:
    """The paths of the pages that this app has."""
    return {str(getattr(route, "path", "")) for route in app.routes}


def shown(entries: Sequence[Entry], paths: Collection[str]) -> list[Entry]:
    """The entries whose page is one of the paths."""
    return [entry for entry in entries if entry.path in paths]


def page_path() -> str:
    """The path of the page that is being built, as it is registered."""
    return ui.context.client.page.path


def run_address(project: int, run_id: str) -> str:
    """A run's page, or its events."""
    if f"{OF_A_PROJECT}/runs/{{run_id}}" in registered():
        return f"/projects/{project}/runs/{run_id}"
    return f"/projects/{project}/events?run={run_id}"


def lessons_about(path: str) -> list[Lesson]:
    """The lessons of the course that a page links to."""
    page = path.removeprefix(OF_A_PROJECT).removeprefix("/").split("/")[0]
    slug = _SLUGS.get(page, page)
    return lessons_of(cast("Page", slug)) if slug in get_args(Page) else []


def pages_of(slugs: Sequence[str], paths: Collection[str]) -> list[Entry]:
    """The entries that the course means by these words, as far as their pages are there."""
    names = {_SLUGS.get(page := entry.path.rsplit("/", 1)[-1], page): entry for entry in (*PIPELINE, *BELOW)}
    below = {path.rsplit("/", 1)[-1]: Entry(path.rsplit("/", 1)[-1].capitalize(), path) for path in BELOW[2].also}
    return shown([entry for slug in slugs if (entry := names.get(slug) or below.get(slug))], paths)


def rail(known: Sequence[ProjectView], project: ProjectView | None) -> None:
    """Draw it: for a page of this project, or for one of none."""
    paths, at, number = registered(), page_path(), project.id if project else None
    link("BrewSLM", "/", "brand")
    if known:
        _switcher(known, project)
    with box("div", "rail-list"):
        if project is None:
            _entries([Entry("Projects", "/"), *shown([ACADEMY], paths)], at, None)
        else:
            _entries(shown([OVERVIEW], paths), at, number)
            Text("p", "Pipeline", "rail-heading")
            _entries(shown(PIPELINE, paths), at, number, "rail-pipeline")
            _entries(shown([*BELOW, ACADEMY], paths), at, number)
    with box("div", "rail-foot"):
        _entries(shown([SETTINGS], paths), at, number)
        with box("div", "themes", role="radiogroup", aria_label="Theme"):
            for choice, word in THEMES.items():
                button(word, classes="theme", role="radio", aria_checked="false", data_act="theme", data_theme=choice)


def _switcher(known: Sequence[ProjectView], project: ProjectView | None) -> None:
    name = project.name if project else "Choose a project"
    with box("details", "switcher popover"):
        with box("summary", "", aria_label=f"Project {name}; choose another" if project else name):
            Text("span", name, "cut")
        with box("ul", "popover-panel"):
            for other in known:
                with box("li"):
                    made = link(other.name, f"/projects/{other.id}", "cut")
                    if project and other.id == project.id:
                        made.props["aria-current"] = "true"
            with box("li", "apart"):
                link("All projects", "/")


def _entries(entries: Sequence[Entry], at: str, project: int | None, classes: str = "") -> None:
    with box("ul", classes):
        for entry in entries:
            with box("li"):
                made = link(entry.name, entry.address(project), "rail-entry")
                if entry.leads_to(at):
                    made.props["aria-current"] = "page" if entry.path == at else "true"
