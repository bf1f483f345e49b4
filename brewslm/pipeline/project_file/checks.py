"""What a project file names that is not there, or that can't be meant so: asked of whoever would refuse it later."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError

from brewslm.errors import StageError, did_you_mean
from brewslm.handlers import HANDLERS
from brewslm.handlers.eval_pack import load_eval_pack
from brewslm.mappers import mapper_of
from brewslm.models.catalogue import check_locator
from brewslm.models.formats import checked_formats
from brewslm.models.recipe import Recipe, recipe_named
from brewslm.models.runtime import runtime_profile
from brewslm.pipeline.project_file.schema import HIDDEN, ProjectFile, Slot
from brewslm.pipeline.project_file.text import Place
from brewslm.reasons.refusals import InvalidRequest
from brewslm.serving.slots import SlotSettings
from brewslm.serving.targets import target_of
from brewslm.sources import connector_of
from brewslm.stages.deploy.changes import checked_endpoint, checked_settings
from brewslm.stages.deploy.cron import check_cron
from brewslm.stages.prepare.adapters import AS_IT_IS, AUTO, adapter_named

_SECRET_WORDS = ("token", "secret", "password", "passwd", "signature", "credential", "apikey", "api_key", "access_key", "auth")
Found = Iterator[tuple[Place, StageError]]


def checks(file: ProjectFile) -> Found:
    """Every problem, with its place in the file. Nothing is fetched, and no address is asked."""
    bases = {"project": file.project.base_model, "train": file.train.base_model if file.train else None}
    for name, locator in bases.items():
        if locator and not locator.startswith("hf:"):
            yield from _tried((name, "base_model"), check_locator, locator)
    for number, source in enumerate(file.sources):
        place = ("sources", number)
        yield from _tried((*place, "locator"), connector_of, source.locator)
        yield from _secret((*place, "locator"), source.locator)
        yield from _tried((*place, "mapper"), mapper_of, source.mapper, source.field_map)
    for number, path in enumerate(file.documents.paths if file.documents else ()):
        yield from _secret(("documents", "paths", number), path)
    yield from _of_prepare(file)
    if file.preflight is not None and file.preflight.runtime is not None:
        yield from _tried(("preflight", "runtime"), runtime_profile, file.preflight.runtime)
    yield from _of_recipe(file)
    if file.evaluate is not None:
        yield from _tried(("evaluate", "eval_pack"), load_eval_pack, file.evaluate.eval_pack)
    if file.export is not None:
        yield from _tried(("export", "formats"), checked_formats, file.export.formats)
    named = Counter(slot.name for slot in file.deploy)
    for number, slot in enumerate(file.deploy):
        if named[slot.name] > 1:
            yield ("deploy", number), StageError(InvalidRequest(), f"slot {slot.name} is there {named[slot.name]} times")
        yield from _of_slot(("deploy", number), slot)


def _tried(place: Place, check: Callable[..., object], *values: Any) -> Found:
    try:
        check(*values)
    except StageError as error:
        yield place, error


def _secret(place: Place, locator: str) -> Found:
    """A password or token in an address: files are shared, and kept for ever in a repository."""
    try:
        parts = urlsplit(locator.removeprefix("url:"))
    except ValueError:
        return  # it is no address: whoever fetches it says so
    given = [name for name, value in parse_qsl(parts.query) if value != HIDDEN]
    named = [name for name in given if any(word in name.lower() for word in _SECRET_WORDS)]
    if named or (parts.username not in (None, HIDDEN)) or parts.password:
        yield place, StageError(
            InvalidRequest(), "A secret stands in the file", cause=f"in the address: {', '.join(named) or 'a user or password'}",
            next_step="Fetch the file by hand, and name its path.",
        )  # fmt: skip


def _of_prepare(file: ProjectFile) -> Found:
    asked = file.prepare
    if asked is None:
        return
    if asked.task_profile is not None and asked.task_profile not in HANDLERS:
        what = f"there is no task profile {asked.task_profile}"
        yield ("prepare", "task_profile"), StageError(InvalidRequest(), what, cause=did_you_mean(asked.task_profile, HANDLERS))
    elif asked.adapter not in (AUTO, AS_IT_IS):
        yield from _tried(("prepare", "adapter"), adapter_named, asked.adapter, str, asked.task_profile)


def _of_recipe(file: ProjectFile) -> Found:
    asked = file.train
    if asked is None:
        return
    known = [name for name in Recipe.model_fields if name != "id"]
    unknown = [name for name in asked.settings if name not in known]
    for name in unknown:
        cause = did_you_mean(name, known)
        yield ("train", "settings", name), StageError(InvalidRequest(), f"recipes have no {name}", cause=cause)
    if asked.recipe is not None:
        yield from _tried(("train", "recipe"), recipe_named, asked.recipe)
    if not unknown:
        try:
            recipe_named("classification", asked.settings)
        except StageError as error:
            yield ("train", "settings", *filter(None, [error.where])), error


def _of_slot(place: Place, slot: Slot) -> Found:
    asked, at = slot.create, (*place, "create")
    yield from _tried((*at, "endpoint"), checked_endpoint, asked.endpoint)
    unknown = list(_tried((*at, "target"), target_of, asked.target))
    yield from unknown
    if not unknown:
        for where, error in _tried((*at, "settings"), checked_settings, target_of(asked.target), asked.settings):
            yield (*where, *filter(None, [error.where])), error
    if slot.settings is not None:
        try:
            SlotSettings.model_validate(slot.settings.given())
        except ValidationError as error:
            for one in error.errors():
                yield (*place, "settings", *one["loc"]), StageError(InvalidRequest(), one["msg"])
    if slot.schedule is not None:
        yield from _tried((*place, "schedule", "cron"), check_cron, slot.schedule.cron, slot.schedule.timezone)
