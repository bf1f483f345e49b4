"""The form of a training: from the recipe's schema, by groups, what differs from the preset marked, findings beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from nicegui import ui

from brewslm.handlers.eval_pack import DEFAULT_PACK
from brewslm.observe.training_offer import SettingField, TrainingOffer, implied, setting_problems
from brewslm.pipeline.runs import RunView
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.train import TrainRequest
from brewslm.web.acts import act
from brewslm.web.confirm import Confirm
from brewslm.web.fields import Select, TextField, Tick
from brewslm.web.layout import PREFIX
from brewslm.web.parts import Badge, Text, box, button, link, put
from brewslm.web.training_check import FIELD_OF, CheckView, takes
from brewslm.web.words import Sign, plain

UNCHECKED = "These settings were not checked on this machine yet: Check says whether they fit, and how long it takes."
SEVERITIES = {"blocker": Sign("failed", "blocks"), "warning": Sign("needs", "warning")}

PILOTED = ("base_model", "recipe", "settings", "eval_pack")
"""What of the form an autopilot goes by."""


@dataclass(frozen=True)
class Chosen:
    """What the person chose; None and {} are what is usual."""

    recipe: str | None
    base_model: str | None
    manifest: int | None
    eval_pack: str | None
    settings: Mapping[str, str]

    def but(self, **changes: Any) -> "Chosen":
        """With changes."""
        return replace(self, **changes)

    def address(self, project: int, check: str | None = None) -> str:
        """The page with these choices."""
        named = {"recipe": self.recipe, "base_model": self.base_model, "manifest": self.manifest, "eval_pack": self.eval_pack}
        query = urlencode({name: str(value) for name, value in (named | dict(self.settings) | {"check": check}).items() if value})
        return f"/projects/{project}/training" + (f"?{query}" if query else "")


class TrainingForm:
    """The form, the check of it, and the two buttons."""

    def __init__(self, project: int, offer: TrainingOffer, chosen: Chosen, checked: RunView | None) -> None:
        self._project, self._offer, self._chosen = project, offer, chosen
        self._key, self._probe = f"page-{uuid4()}", False
        self._notes: dict[str, ui.element] = {}
        self._roots: dict[str, ui.element] = {}
        self._checked = checked if checked is not None and self._is_of(checked) else None
        with box("section", "card training-form", aria_labelledby="settings"):
            Text("h2", "Settings", id="settings")
            self._chooser()
            self._groups()
            Tick("Probe: do two real steps on the longest batch, and measure them", self._set_probe)
            with box("div", "actions"):
                self._check = button("Check", self._run_check)
                self._train = button("Train", self._ask_train, "primary")
            self._said = box("div", "form-said", role="alert")
            self._confirm = Confirm("Train")
        self._result = box("div", "placed")
        self._marks()
        self._show_check()

    def _chooser(self) -> None:
        offer, chosen = self._offer, self._chosen
        manifests = {
            str(one.version): f"v{one.version}: {_rows(one.rows)} ({plain(one.task_profile)})" for one in offer.manifests
        }
        packs = dict(offer.eval_packs)
        pack = chosen.eval_pack or DEFAULT_PACK
        packs.setdefault(pack, pack)
        with box("div", "fields"):
            self._choice("manifest", "Data", manifests, str(offer.manifest), str(offer.manifest))
            self._choice("base_model", "Base model", offer.base_models, offer.base_model, offer.usual_base)
            self._choice("recipe", "Recipe", {name: name for name in offer.recipes}, offer.recipe, offer.usual_recipe)
            self._choice("eval_pack", "Eval pack", packs, pack, DEFAULT_PACK)

    def _choice(self, name: str, label: str, options: Mapping[str, str], value: str, usual: str) -> None:
        """One that the rest of the form hangs on: the page is read anew with it."""
        with self._root(name):
            Select(label, options, value, partial(self._rechoose, name, usual))
            self._notes[name] = box("div", "field-notes")

    def _rechoose(self, name: str, usual: str, value: str) -> None:
        chosen: Any = None if value == usual and name != "manifest" else int(value) if name == "manifest" else value
        ui.navigate.to(self._chosen.but(**{name: chosen}).address(self._project))

    def _root(self, name: str) -> ui.element:
        self._roots[name] = box("div", "field-root")
        return self._roots[name]

    def _groups(self) -> None:
        groups = dict.fromkeys(field.group for field in self._offer.fields)
        marked = {*self._chosen.settings, *self._findings()}  # what must be seen at once
        for place, group in enumerate(groups):
            changed = any(one.group == group and one.name in marked for one in self._offer.fields)
            with box("details", "group", **({"open": "open"} if place < 2 or changed else {})):
                with box("summary"):
                    Text("h3", group, "inline")
                with box("div", "fields"):
                    for field in (one for one in self._offer.fields if one.group == group):
                        self._field(field)

    def _field(self, field: SettingField) -> None:
        value = self._chosen.settings.get(field.name, _text(field.usual))
        label = plain(field.name).capitalize()
        with self._root(field.name):
            if field.kind == "choice":
                Select(label, {one: one for one in field.choices}, value, partial(self._set, field), _note(field))
            else:
                mode = "numeric" if field.kind == "whole" else "decimal"
                TextField(label, value, partial(self._set, field), _note(field), named=f"setting-{field.name}", inputmode=mode)
            self._notes[field.name] = box("div", "field-notes", role="status")

    def _set(self, field: SettingField, value: str) -> None:
        said = value.strip().replace(",", "")
        settings = {name: one for name, one in self._chosen.settings.items() if name != field.name}
        if said and said != _text(field.usual):
            settings[field.name] = said
        self._chosen = self._chosen.but(settings=settings)
        self._checked = None
        self._key = f"page-{uuid4()}"
        self._confirm.close()
        self._marks()
        self._show_check()
        self._show_address()

    def _set_probe(self, probe: bool) -> None:
        self._probe = probe

    def _show_address(self) -> None:
        address = PREFIX + self._chosen.address(self._project, self._checked.task_id if self._checked else None)
        ui.run_javascript(f"history.replaceState(null, '', {json.dumps(address)})")

    def _marks(self) -> None:
        """Beside each field: what can't be used, what is not the preset's, what the recipe sets by itself, and findings."""
        problems = setting_problems(self._offer.recipe, self._chosen.settings)
        by_itself = implied(self._offer.recipe, self._chosen.settings)
        usual = {field.name: _text(field.usual) for field in self._offer.fields}
        findings = self._findings()
        for name, notes in self._notes.items():
            differs = name in self._chosen.settings
            self._roots[name].classes(add="is-other" if differs else "", remove="" if differs else "is-other")
            notes.clear()
            with notes:
                if name in problems:
                    with box("p", "note is-failed"):
                        Badge(Sign("failed", f"can't be used: {problems[name]}"))
                elif differs:
                    Text("p", f"preset: {usual[name]}", "muted")
                elif name in by_itself:
                    Text("p", f"becomes {by_itself[name]}, which suits training every weight, unless you set it", "muted")
                for finding in findings.get(name, []):
                    _finding(finding)
        off = bool(problems)
        for one in (self._check, self._train):
            put(one, aria_disabled=str(off).lower())
            one.classes(add="is-off" if off else "", remove="" if off else "is-off")

    def _findings(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for one in ((self._checked.result if self._checked else None) or {}).get("findings", []):
            found.setdefault(FIELD_OF.get(one["code"], ""), []).append(one)
        return found

    def _shared(self) -> dict[str, Any]:
        chosen = self._chosen
        return {
            "project": self._project, "base_model": chosen.base_model, "recipe": self._offer.recipe if chosen.recipe else None,
            "settings": dict(chosen.settings), "manifest_version": self._offer.manifest,
            "eval_pack": chosen.eval_pack or DEFAULT_PACK,
        }  # fmt: skip

    def for_autopilot(self) -> dict[str, Any] | None:
        """What an autopilot goes by: it freezes data of its own. None where a setting can't be used."""
        return None if self._blocked() else {name: value for name, value in self._shared().items() if name in PILOTED}

    def _is_of(self, checked: RunView) -> bool:
        """Whether a preflight was of what the form says."""
        return all(checked.request.get(name) == value for name, value in self._shared().items())

    def _blocked(self) -> bool:
        return bool(setting_problems(self._offer.recipe, self._chosen.settings))

    async def _run_check(self) -> None:
        if self._blocked():
            return
        self._result.clear()
        with self._result, box("section", "card", aria_label="Preflight"):
            request = PreflightRequest(**self._shared(), probe=self._probe)
            await act(request, f"page-{uuid4()}", self._was_checked)

    def _was_checked(self, run: RunView) -> None:
        if not self._is_of(run):
            Text("p", "The settings are others by now: check again.", "empty")
            return
        self._checked = run
        self._marks()
        self._show_check()
        self._show_address()

    def _show_check(self) -> None:
        self._result.clear()
        with self._result:
            if self._checked is None:
                with box("section", "card", aria_label="Preflight"):
                    Text("p", UNCHECKED, "empty")
            else:
                CheckView(self._project, self._checked, self._take)

    def _take(self, changes: Mapping[str, Any]) -> None:
        """Fill a plan's changes in."""
        usual = {field.name: _text(field.usual) for field in self._offer.fields}
        settings = dict(self._chosen.settings) | {name: _text(value) for name, value in changes.items()}
        kept = {name: value for name, value in settings.items() if value != usual.get(name)}
        ui.navigate.to(self._chosen.but(settings=kept).address(self._project))

    def _ask_train(self) -> None:
        if self._blocked():
            return
        result = (self._checked.result if self._checked else None) or {}
        sentences = takes(result, self._offer)
        request = TrainRequest(**self._shared())
        self._confirm.ask("Train now?", sentences, "Start the training", partial(self._start, request))

    async def _start(self, request: TrainRequest) -> None:
        await act(request, self._key, self._trained)
        self._key = f"page-{uuid4()}"

    def _trained(self, run: RunView) -> None:
        with box("p", "note", role="status"):
            Badge(Sign("done", "trained"))
            link(f"See {run.task_id}", f"/projects/{run.project}/runs/{run.task_id}")


def _finding(one: Mapping[str, Any]) -> None:
    with box("div", "finding"):
        with box("p", "note"):
            Badge(SEVERITIES[one["severity"]])
            Text("span", one["code"], "mono")
        Text("p", f"{one['measured']}; the limit is {one['limit']}.", "muted")
        Text("p", f"Next: {one['next_step']}", "muted")


def _note(field: SettingField) -> str:
    return " ".join(part for part in (field.meaning, f"({field.bounds})" if field.bounds else "") if part)


def _rows(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in rows.items())


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
