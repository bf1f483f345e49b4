"""/ui/settings: this installation as it is, and the settings of a project that an operation can change."""

from functools import partial
from uuid import uuid4

import anyio

from brewslm.errors import StageError
from brewslm.observe.models import BaseModelView, base_models
from brewslm.observe.projects import ProjectView, projects
from brewslm.observe.settings import SettingsView, SettingView, WorkerView, key_names, settings_view
from brewslm.observe.toolchains import ToolchainView
from brewslm.pipeline import execute
from brewslm.stages.projects import ChangeRequest
from brewslm.web.academy import crumbs
from brewslm.web.confirm import Confirm
from brewslm.web.doing import ACTOR, attempt
from brewslm.web.form_field import FormField
from brewslm.web.layout import frame
from brewslm.web.new_project import model_words
from brewslm.web.parts import Badge, Text, box, button
from brewslm.web.pieces import Column, stats, table, title_row
from brewslm.web.problem_page import known_project
from brewslm.web.words import Sign


async def page(project: str | None = None) -> None:
    """The page; with `project`, that project's settings stand first."""
    known = await anyio.to_thread.run_sync(projects)
    found = known_project(known, project) if project else None
    seen = await anyio.to_thread.run_sync(settings_view)
    keys = await anyio.to_thread.run_sync(key_names, found.id) if found else []
    with frame(known, [*crumbs(found), ("Settings", "")], found):
        with title_row("Settings", "What is set stands in the environment of the server; a change holds from its next start."):
            pass
        if found is not None:
            _ProjectSettings(found, keys)
        _machine(seen)
        _settings(seen.settings)
        _workers(seen.workers)
        _toolchains(seen.toolchains)
        _broken(seen.broken_plugins)


class _ProjectSettings:
    """The base model, which an operation changes; and the names of keys."""

    def __init__(self, project: ProjectView, keys: list[str]) -> None:
        self._project, self._wanted = project, project.base_model
        self._models: dict[str, BaseModelView] = {one.locator: one for one in base_models()}
        with box("section", "card", aria_labelledby="of-project"):
            Text("h2", f"Project {project.name}", id="of-project")
            options = {locator: model_words(one) for locator, one in self._models.items()}
            with box("div", "setting-form"):
                known = {project.base_model: project.base_model} | options
                self._field = FormField("base-model", "Base model", project.base_model, options=known, on_change=self._take)
                button("Change the base model", self._ask)
            self._confirm = Confirm("Change the base model")
            Text("h3", "Keys of endpoints")
            Text("p", f"Kept, by name: {', '.join(keys)}." if keys else "None is kept.", "muted")
            with box("p"):
                Text("span", "A key is written in a terminal, so that it never goes through a browser: ")
                Text("code", f"brewslm deploy key NAME --project {project.id}")

    def _take(self, locator: str) -> None:
        self._wanted = locator
        self._field.blame("")
        self._confirm.close()

    def _ask(self) -> None:
        if self._wanted == self._project.base_model:
            self._field.blame("This is its base model already: choose another.")
            return
        sentences = (
            f"{self._project.base_model} → {self._wanted}",
            "Rows are measured, and documents cut, in this model's tokens: what was prepared must be prepared again. "
            "No row changes.",
        )
        self._confirm.ask("Change the base model?", sentences, "Change it now", self._change)

    async def _change(self) -> None:
        request = ChangeRequest(project=self._project.id, base_model=self._wanted)
        done = await attempt(partial(execute.call, ACTOR, request, idempotency_key=f"page-{uuid4()}"))
        if isinstance(done, StageError):
            self._confirm.close()
            self._field.refuse(done)
        else:
            self._project = self._project.model_copy(update={"base_model": self._wanted})
            Text("p", f"{self._wanted} is the base model now.", role="status")


def _machine(seen: SettingsView) -> None:
    with box("section", "card", aria_labelledby="machine"):
        Text("h2", "Machine and versions", id="machine")
        machine = seen.machine
        stats([
            ("Cores", machine["cores"], ""),
            ("Memory", machine["memory"], ""),
            ("Free disk", f"{seen.free_bytes / 2**30:,.0f} GB", seen.home),
            ("BrewSLM", seen.versions["brewslm"], machine["machine"]),
        ])  # fmt: skip
        with box("dl", "versions"):
            for name, value in seen.versions.items():
                with box("div"):
                    Text("dt", name)
                    Text("dd", value, "mono")


def _settings(found: list[SettingView]) -> None:
    with box("section", "card", aria_labelledby="settings"):
        Text("h2", "Settings", id="settings")
        table(
            "Settings",
            (
                Column("Variable", lambda one: one.name, "mono"),
                Column("Value", lambda one: one.value, "mono setting-value"),
                Column("", lambda one: "set" if one.is_set else "as given", "muted"),
                Column("Meaning", lambda one: one.meaning, "setting-meaning"),
            ),
            found,
        )


def _workers(found: list[WorkerView]) -> None:
    def state(one: WorkerView) -> None:
        Badge(Sign("done", "at work") if one.is_working else Sign("idle", "not at work"))

    with box("section", "card", aria_labelledby="workers"):
        Text("h2", "Workers", id="workers")
        if not any(one.is_working for one in found):
            Text("p", "No worker is at work: what is queued waits. Start one with brewslm serve, or brewslm worker.", "is-needs")
        table("Workers", (Column("Name", lambda one: one.name, "mono"), Column("State", state)), found)


def _toolchains(found: list[ToolchainView]) -> None:
    def state(one: ToolchainView) -> None:
        if one.installed:
            Badge(Sign("done", "installed"))
        else:
            Badge(Sign("idle", "not installed"))
            Text("code", one.next_step or "")

    with box("section", "card", aria_labelledby="toolchains"):
        Text("h2", "Toolchains", id="toolchains")
        table(
            "Toolchains",
            (
                Column("Name", lambda one: one.name, "mono"),
                Column("For", lambda one: one.title),
                Column("Disk", lambda one: f"{one.disk_gb:g} GB", "figure"),
                Column("State", state),
            ),
            found,
        )


def _broken(found: dict[str, str]) -> None:
    if not found:
        return
    with box("section", "card", aria_labelledby="broken"):
        Text("h2", "Plugins that could not be loaded", id="broken")
        with box("ul"):
            for name, why in found.items():
                with box("li"):
                    Text("code", name)
                    Text("p", why, "muted")
