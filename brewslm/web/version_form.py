"""A new version: an export, one of its variants, the name under which it answers, and what serves it."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

import anyio

from brewslm.errors import StageError
from brewslm.observe.deployments import TargetView, targets
from brewslm.observe.exports import ExportView, exports
from brewslm.pipeline.runs import RunView
from brewslm.serving.targets import target_of
from brewslm.stages.deploy.changes import TARGET, CreateRequest, checked_endpoint, checked_settings
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.fields import Select
from brewslm.web.form_field import FormField
from brewslm.web.parts import Text, box, link
from brewslm.web.pieces import empty


class VersionForm:
    """Opens in a panel; what it makes is pending, and answers nobody until it is promoted.

    Args:
        slot: The name that is proposed.
        afterwards: Called when a version was made.
    """

    def __init__(self, project: int, slot: str, afterwards: Callable[[], Awaitable[None]]) -> None:
        self._project, self._afterwards = project, afterwards
        self._export = self._variant = ""
        self._slot, self._target = slot, TARGET
        self._settings: dict[str, str] = {}
        self._fields: dict[str, FormField] = {}
        self._exports: dict[str, ExportView] = {}
        self._targets: dict[str, TargetView] = {}
        self._confirm = Confirm("New version")

    async def open(self, export: str = "", variant: str = "") -> None:
        """Ask; an export and a variant may be chosen already."""
        found = await anyio.to_thread.run_sync(exports, self._project)
        known = await anyio.to_thread.run_sync(targets)
        self._exports = {one.id: one for one in found if one.artifacts}
        self._targets = {one.name: one for one in known if one.problem is None}
        if not self._exports:
            self._confirm.refuse("There is nothing to deploy", self._nothing)
            return
        self._export = export if export in self._exports else next(iter(self._exports))
        self._variant = variant if variant in self._exports[self._export].artifacts else ""
        sentences = ["It is made pending: it answers nobody until you promote it, and can be rejected."]
        create = partial(self._create, f"page-{uuid4()}")
        self._confirm.ask(
            "Make a version of an export", sentences, "Make the version", create, more=self._draw, ready=self._ready
        )

    def _nothing(self) -> None:
        empty("A version is made of an export, and there is none yet.", "Export a model", f"/projects/{self._project}/export")

    def _draw(self) -> None:
        with box("div", "fields"):
            newest = {name: f"{name}, {one.experiment}" for name, one in self._exports.items()}
            Select("Export", newest, self._export, self._choose_export)
            with box("div") as self._variants:
                self._draw_variants()
            note = "With the project it is the slot, in which versions are counted; a lower-case letter first."
            self._endpoint = FormField("endpoint", "Answers as", self._slot, note, on_change=partial(self._say, "_slot"))
            meanings = {name: f"{name}: {one.meaning}" for name, one in self._targets.items()}
            Select("Served by", meanings, self._target, self._choose_target)
        with box("div", "fields") as self._options:
            self._draw_settings()

    def _draw_variants(self) -> None:
        self._variants.clear()
        with self._variants:
            known = [name for name in self._exports[self._export].artifacts if not name.startswith("safetensors")]
            choices = {"": "what serves it best"} | {name: name for name in known}
            Select("Variant", choices, self._variant, partial(self._say, "_variant"))

    def _draw_settings(self) -> None:
        self._options.clear()
        self._fields = dict[str, FormField]()
        with self._options:
            for name, of in self._targets[self._target].settings.items():
                usual = "" if of.get("default") in (None, "") else f"{of['default']} when left out. "
                note = f"{usual}{'' if 'default' in of else 'Needed. '}{of.get('description', '')}".strip()
                value, said = self._settings.get(name, ""), partial(self._set, name)
                self._fields[name] = FormField(f"setting-{name}", name, value, note, on_change=said)

    def _choose_export(self, export: str) -> None:
        self._export, self._variant = export, ""
        self._draw_variants()

    def _choose_target(self, target: str) -> None:
        self._target, self._settings = target, {}
        self._draw_settings()

    def _say(self, name: str, value: str) -> None:
        setattr(self, name, value.strip())

    def _set(self, name: str, value: str) -> None:
        self._settings[name] = value.strip()

    def _given(self) -> dict[str, str]:
        return {name: value for name, value in self._settings.items() if value}

    def _ready(self) -> bool:
        """Whether the name and the settings can be used; what can't be is told at its field."""
        for field in (self._endpoint, *self._fields.values()):
            field.blame("")
        try:
            checked_endpoint(self._slot)
        except StageError as refused:
            self._endpoint.blame(refused.cause)
            return False
        try:
            checked_settings(target_of(self._target), self._given())
        except StageError as refused:
            self._fields.get(refused.where, self._endpoint).blame(refused.cause)
            return False
        return True

    async def _create(self, key: str) -> None:
        request = CreateRequest(
            export=self._export, variant=self._variant or None, endpoint=self._slot, target=self._target, settings=self._given()
        )
        await act(request, key, self._made, self._afterwards)

    def _made(self, run: RunView) -> None:
        result = run.result or {}
        with box("p", "", role="status"):
            Text("span", f"{result['slot']} v{result['version']} is pending: it serves {result['export']}:{result['variant']}. ")
            link("See it", f"/projects/{self._project}/deployments?slot={result['slot']}")
