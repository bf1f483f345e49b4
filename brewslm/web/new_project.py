"""A new project: by what the model shall do, or from a sample whose rows are imported at once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import anyio
from nicegui import ui
from nicegui.events import GenericEventArguments

from brewslm.errors import StageError
from brewslm.observe.goals import GoalView, goals
from brewslm.observe.models import BaseModelView, base_models
from brewslm.observe.projects import projects
from brewslm.pipeline import execute
from brewslm.pipeline.importing import planned_import
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.pipeline.runs import RunView
from brewslm.sources.catalogue import Sample, samples
from brewslm.stages.mapping import CommitRequest
from brewslm.stages.projects import CreateRequest
from brewslm.web.doing import ACTOR, Busy, attempt
from brewslm.web.fields import Radios, Select, TextField
from brewslm.web.notices import remember
from brewslm.web.parts import Text, box, button, link, problem, put


@dataclass(frozen=True)
class Offer:
    """What a project can begin with."""

    goals: list[GoalView]
    models: dict[str, BaseModelView]
    samples: dict[str, Sample]


def offered() -> Offer:
    """Read it."""
    return Offer(goals(), {one.locator: one for one in base_models()}, samples())


class _Name:
    """The name of the project, and what is wrong with what was asked for."""

    def __init__(self, on_enter: Callable[[], Awaitable[None]], value: str = "") -> None:
        self.field = TextField("Name", value, lambda _text: None, "Unique on this machine", "project-name", maxlength="200")

        async def entered(event: GenericEventArguments) -> None:
            self.field.value = str(event.args)  # the browser tells a change only after the key
            await on_enter()

        self.field.element.on("keydown.enter", entered, js_handler="(event) => emit(event.target.value)")
        self.said = box("div", "form-said")

    def read(self) -> str:
        """The name; "" is told to the person."""
        name = self.field.value.strip()
        self.said.clear()
        if not name:
            self.refuse("A project needs a name.")
        return name

    def refuse(self, error: StageError | str) -> None:
        """Say why nothing was made, beside the name."""
        self.said.clear()
        with self.said:
            if isinstance(error, str):
                Text("p", error, "is-failed", role="alert")
            else:
                problem(error)


class ByGoal:
    """The form: what the model shall do, with what that needs; its base model; a name."""

    def __init__(self, offer: Offer) -> None:
        known = offer.goals
        self._known, self._models = {goal.task_profile: goal for goal in known}, offer.models
        chosen = known[0]
        Text("p", "What should the model do?", "muted")
        entries = {goal.task_profile: (goal.words, goal.example) for goal in known}
        Radios("What should the model do?", entries, chosen.task_profile, self._choose)
        self._needs = box("div", "new-needs")
        with box("div", "new-end"):
            self._name = _Name(self._create)
            button("Create project", self._create, "primary")
        self._choose(chosen.task_profile)

    def _choose(self, task_profile: str) -> None:
        goal = self._known[task_profile]
        self._base = goal.base_models[0]
        self._needs.clear()
        with self._needs:
            with box("p"):
                Text("span", "Task profile ")
                Text("code", goal.task_profile)
                Text("span", f". Its rows: {' Or: '.join(goal.rows)}")
            options = {one: model_words(self._models[one]) if one in self._models else one for one in goal.base_models}
            note = "It can be changed later; what was prepared is prepared anew then."
            chosen = Select("Base model", options, self._base, self._take, note)
            put(chosen.element, id="base-model")

    def _take(self, locator: str) -> None:
        self._base = locator

    async def _create(self) -> None:
        name = self._name.read()
        if not name:
            return
        made = await attempt(partial(execute.call, ACTOR, CreateRequest(name=name, base_model=self._base)))
        if isinstance(made, StageError):
            self._name.refuse(made)
        else:
            ui.navigate.to(f"/projects/{made.project}/data?new=1")


def model_words(model: BaseModelView) -> str:
    """ "SmolLM2-135M-Instruct · 135 M parameters · from a package"."""
    come = {"package": "from a package", "hub": "from the hub, behind its licence" if model.gated else "from the hub"}
    where = come.get(model.source, "made here")
    return f"{model.name} · {model.parameters / 1e6:,.0f} M parameters · {where}"


class FromSample:
    """The form: which sample; it is imported into a project of its own."""

    def __init__(self, offer: Offer) -> None:
        known = offer.samples
        self._sample = next(iter(known))
        Text("p", "Real data, fetched by its hash and imported. Its mapping is known.", "muted")
        entries = {name: (name, f"{one.meaning} Licence: {one.licence}.") for name, one in known.items()}
        Radios("Sample", entries, self._sample, self._choose)
        with box("div", "new-end"):
            self._name = _Name(self._create, self._sample)
            self._button = button("Create project and import its rows", self._create, "primary")
        self._busy = Busy()

    def _choose(self, sample: str) -> None:
        if self._name.field.value in ("", self._sample):
            self._name.field.show(sample)
        self._sample = sample

    async def _create(self) -> None:
        name = self._name.read()
        if not name or self._busy.is_on:
            return
        with self._busy.doing(f"Fetching sample:{self._sample}…"):
            done = await attempt(partial(_imported, name, self._sample, self._busy.tell))
        if isinstance(done, StageError):
            self._name.refuse(done)
            await self._half_done(name)
            return
        remember(done.task_id)
        ui.navigate.to(f"/projects/{done.project}")

    async def _half_done(self, name: str) -> None:
        """The project may be there although its import was not begun: then the way on is its page."""
        known = await anyio.to_thread.run_sync(projects)
        made = next((one for one in known if one.name == name), None)
        if made is not None:
            with self._name.said:
                link(f"Open {name}", f"/projects/{made.id}/data?new=1&source=sample:{self._sample}")


def _imported(name: str, sample: str, tell: execute.OnProgress) -> RunView:
    """Make the project, keep the sample in it, and queue the commit of its rows."""
    made = execute.call(ACTOR, CreateRequest(name=name))
    assert made.project is not None
    asked = ImportRequest(project=made.project, locator=f"sample:{sample}", auto=True, commit=True)
    planned = planned_import(ACTOR, asked, on_progress=tell)
    return execute.queue(ACTOR, CommitRequest(**planned.request.model_dump()))
