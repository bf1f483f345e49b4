"""The command palette: Ctrl-K, a few letters, Enter. Pages, acts and things of this product, each by its address."""

from collections.abc import Sequence
from typing import NamedTuple

import anyio
from nicegui.events import GenericEventArguments

from brewslm.observe.projects import ProjectView
from brewslm.observe.search import Hit, search
from brewslm.web.parts import Text, box, button, link, put
from brewslm.web.pieces import known_reasons
from brewslm.web.rail import ACADEMY, BELOW, OF_A_PROJECT, OVERVIEW, PIPELINE, SETTINGS, Entry, registered, run_address, shown

PROJECTS = Entry("Projects", "/")


class Act(NamedTuple):
    """Something to do: it leads to the page where it is done, with what opens there."""

    name: str
    path: str
    query: str = ""


ACTS = (
    Act("Run autopilot", OF_A_PROJECT, "act=autopilot"),
    Act("Import dataset (auto-mapping)", f"{OF_A_PROJECT}/data", "new=1"),
    Act("Prepare a data manifest", f"{OF_A_PROJECT}/prepare"),
    Act("Train an experiment", f"{OF_A_PROJECT}/training"),
    Act("Export a model", f"{OF_A_PROJECT}/export"),
    Act("Promote a deployment version", f"{OF_A_PROJECT}/deployments"),
    Act("Roll back a deployment", f"{OF_A_PROJECT}/deployments"),
    Act("Ask a model", f"{OF_A_PROJECT}/playground"),
    Act("Write a support bundle", f"{OF_A_PROJECT}/support"),
    Act("New project", "/", "new=goal"),
)


class Option(NamedTuple):
    """One line of the list."""

    title: str
    detail: str
    kind: str
    target: str


def options(text: str, project: int | None) -> list[Option]:
    """What the text finds, the nearest first: pages and acts by their names, then what stands in the tables."""
    words, paths = text.lower().split(), registered()
    hits = [one for hit in search(text, project) if (one := _of(hit, project, paths)) is not None]
    exact = [one for one in hits if words and one.title.lower() == text.strip().lower()]
    known = [one for one in [*_pages(project, paths), *_acts(project, paths)] if all(word in one.title.lower() for word in words)]
    known.sort(key=lambda one: bool(words) and not one.title.lower().startswith(words[0]))
    return [*exact, *known, *(one for one in hits if one not in exact)]


def _pages(project: int | None, paths: set[str]) -> list[Option]:
    of_project = [OVERVIEW, *PIPELINE, *BELOW] if project is not None else []
    entries = shown([*of_project, ACADEMY, SETTINGS, PROJECTS], paths)
    return [Option(one.name, "", "page", one.address(project if one is not PROJECTS else None)) for one in entries]


def _acts(project: int | None, paths: set[str]) -> list[Option]:
    found = []
    for act in ACTS:
        if act.path in paths and (project is not None or OF_A_PROJECT not in act.path):
            target = act.path.replace("{project}", str(project)) + (f"?{act.query}" if act.query else "")
            found.append(Option(act.name, "", "act", target))
    return found


def _of(hit: Hit, project: int | None, paths: set[str]) -> Option | None:
    """None for what has no page from here."""
    target = None
    if hit.kind == "project":
        target = f"/projects/{hit.id}"
    elif hit.kind == "row":
        target = f"/rows/{hit.id}"
    elif hit.kind == "reason" and project is not None:
        rows = known_reasons()[hit.id].kind == "row" and f"{OF_A_PROJECT}/rows" in paths
        target = f"/projects/{project}/{f'rows?reason={hit.id}' if rows else f'events?code={hit.id}'}"
    elif hit.kind == "deployment":
        page = "deployments" if f"{OF_A_PROJECT}/deployments" in paths else "events?stage=deployment"
        target = f"/projects/{hit.project}/{page}"
    elif hit.project is not None and hit.kind != "reason":
        target = run_address(hit.project, hit.id)
    return Option(hit.title, hit.detail, hit.kind, target) if target else None


class Palette:
    """The dialog; brewslm.js opens it, moves in its list, and follows the chosen line."""

    def __init__(self, project: ProjectView | None) -> None:
        self._project = project.id if project else None
        with box("dialog", "palette", aria_label="Search and commands"):
            with box("div", "palette-head"):
                self._input = box(
                    "input", "palette-input", type="text", role="combobox", aria_label="Search and commands",
                    aria_expanded="true", aria_controls="palette-list", aria_autocomplete="list", autocomplete="off",
                    spellcheck="false", placeholder="A page, a run, a row's id, a reason code, something to do…", maxlength="200",
                )  # fmt: skip
                button("Close", classes="small", data_act="close-palette")
            self._list = box("div", "palette-list", role="listbox", id="palette-list", aria_label="Found")
            self._said = Text("p", "", "muted palette-said", role="status")
        self._input.on("input", self._look, js_handler="(event) => emit(event.target.value)", throttle=0.1, leading_events=False)

    async def _look(self, event: GenericEventArguments) -> None:
        text = str(event.args)[:200]
        self._asked = text
        found = await anyio.to_thread.run_sync(options, text, self._project)
        if text == self._asked:  # an older answer that comes late says nothing
            self._show(text, found)

    def _show(self, text: str, found: Sequence[Option]) -> None:
        self._list.clear()
        with self._list:
            for number, one in enumerate(found):
                with link("", one.target, "option", role="option", tabindex="-1", id=f"option-{number}") as made:
                    Text("span", one.title, "option-title" + (" mono" if one.kind not in ("page", "act", "project") else ""))
                    Text("span", one.detail, "muted cut")
                    Text("span", one.kind, "muted option-kind")
                put(made, aria_selected="false")
        count = f"{len(found)} found" if found else f"Nothing is called {text}: try a page's name, a run's id or a reason code."
        self._said.text = count
