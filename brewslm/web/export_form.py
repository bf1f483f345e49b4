"""A new export: an experiment, and the formats that are made of its model."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

import anyio

from brewslm.errors import StageError
from brewslm.observe.experiments import ExperimentView, experiments
from brewslm.observe.export_formats import FormatView, export_formats
from brewslm.observe.figures import counted
from brewslm.pipeline.runs import RunView
from brewslm.stages.export import ExportRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.fields import Select, Tick
from brewslm.web.parts import Text, box, link, problem, put
from brewslm.web.pieces import empty
from brewslm.web.words import file_size


class ExportForm:
    """Opens in a panel, which is the first click; its button is the second.

    Args:
        afterwards: Called when a run was begun, and when it ended.
    """

    def __init__(self, project: int, afterwards: Callable[[], Awaitable[None]]) -> None:
        self._project, self._afterwards = project, afterwards
        self._experiments: list[ExperimentView] = []
        self._experiment = ""
        self._formats: list[FormatView] = []
        self._wanted: dict[str, bool] = {}
        self._confirm = Confirm("New export")

    async def open(self, experiment: str = "") -> None:
        """Ask; an experiment may be chosen already."""
        found = await anyio.to_thread.run_sync(experiments, self._project)
        self._experiments = [one for one in found if one.adapter_sha256]
        if not self._experiments:
            self._confirm.refuse("There is nothing to export", self._nothing)
            return
        known = [one.id for one in self._experiments]
        await self._read(experiment if experiment in known else known[0])
        export = partial(self._export, f"page-{uuid4()}")
        sentences = [
            "Each format is made, and then run against the trained model; one that does not agree with it ends the export. "
            "It takes this machine's processor for minutes. Nothing is deployed."
        ]
        self._confirm.ask("Export a model", sentences, "Export it now", export, more=self._draw, ready=self._ready)

    def _nothing(self) -> None:
        empty("A model is exported once it is trained, and none is yet.", "Train one", f"/projects/{self._project}/training")

    async def _read(self, experiment: str) -> None:
        self._experiment = experiment
        try:
            self._formats = await anyio.to_thread.run_sync(export_formats, experiment)
        except StageError as error:  # it went while the form was open
            self._formats = []
            problem(error)
        self._wanted = {one.name: one.default and not one.cause for one in self._formats}

    def _draw(self) -> None:
        choices = {one.id: _named(one) for one in self._experiments}
        with box("div", "fields"):
            Select("Experiment", choices, self._experiment, self._choose)
        self._box = box("div", "formats")
        self._said = Text("p", "", "muted figure")
        self._draw_formats()

    def _draw_formats(self) -> None:
        self._box.clear()
        with self._box, box("fieldset", "ticks"):
            Text("legend", "Formats")
            for one in self._formats:
                with box("div", "format"):
                    about = f", about {file_size(one.about_bytes)}" if one.about_bytes else ""
                    tick = Tick(f"{one.name}{about}", partial(self._want, one.name), on=self._wanted[one.name])
                    note = one.cause and f"Not possible: {one.cause}. {one.next_step}".strip()
                    note = note or ("Few bits: it is promoted only once it was measured itself." if one.rounds_much else "")
                    if one.cause:
                        put(tick.element, disabled="disabled")
                    if note:
                        Text("p", note, "muted")
        self._say()

    def _want(self, name: str, wanted: bool) -> None:
        self._wanted[name] = wanted
        self._say()

    def _say(self) -> None:
        self._said.classes(remove="is-failed")
        chosen = [one for one in self._formats if self._wanted[one.name]]
        size = sum(one.about_bytes for one in chosen)
        self._said.text = (
            f"{counted(len(chosen), 'format')}, about {file_size(size)} on disk." if chosen else "No format is chosen."
        )

    async def _choose(self, experiment: str) -> None:
        await self._read(experiment)
        self._draw_formats()

    def _ready(self) -> bool:
        """A format must be chosen."""
        chosen = any(self._wanted.values())
        if not chosen:
            self._said.text = "Choose a format first."
            put(self._said.classes("is-failed"), role="alert")
        return chosen

    async def _export(self, key: str) -> None:
        wanted = tuple(name for name, on in self._wanted.items() if on)
        await act(ExportRequest(experiment=self._experiment, formats=wanted), key, self._made, self._afterwards)
        await self._afterwards()

    def _made(self, run: RunView) -> None:
        count = len((run.result or {})["artifacts"])
        with box("p", "", role="status"):
            Text("span", f"{self._experiment} is exported in {counted(count, 'format')} as ")
            link(run.task_id, f"/projects/{self._project}/export?export={run.task_id}", "mono")


def _named(one: ExperimentView) -> str:
    verdicts = list(one.evaluations.values())
    said = "not evaluated" if not verdicts else "promotable" if verdicts[-1] else "gates not met"
    return f"{one.id}, {one.base_model}, {said}"
