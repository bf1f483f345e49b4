"""Read-only: what may be chosen for a training of a project, from the recipe's own schema, and what is usual there."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from sqlalchemy import select

from brewslm.errors import StageError, did_you_mean
from brewslm.models.catalogue import catalogue
from brewslm.models.recipe import FULL_LEARNING_RATE, Recipe, preset_for
from brewslm.observe.evalpacks import eval_packs
from brewslm.observe.fault_words import fault_words
from brewslm.presets import load, names
from brewslm.reasons.refusals import InvalidRequest
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import DataManifest

GROUPS: dict[str, tuple[str, ...]] = {
    "What learns": ("objective", "beta", "method", "lora_r", "lora_alpha", "lora_top_layers"),
    "How long, and how fast": (
        "epochs", "batch_size", "learning_rate", "warmup_share", "schedule", "weight_decay", "max_grad_norm", "checkpoints",
        "patience",
    ),
    "What fits": ("max_length", "pack_tokens", "precision"),
}  # fmt: skip
"""Settings by what they decide; one that stands in none of them is shown under "Further"."""


class SettingField(BaseModel):
    """One setting of a recipe.

    Attributes:
        kind: "choice" has `choices`; the others are numbers.
        meaning: As the recipe's schema says it.
        bounds: Such as "above 0, at most 1".
        usual: What the preset says.
    """

    name: str
    group: str
    kind: Literal["choice", "whole", "number"]
    choices: list[str] = []
    meaning: str
    bounds: str
    usual: Any


class ManifestChoice(BaseModel):
    """A version of the data; `rows` by split."""

    version: int
    task_profile: str
    rows: dict[str, int]


class TrainingOffer(BaseModel):
    """What may be chosen.

    Attributes:
        task_profile: Of the chosen manifest; None before anything was prepared, and then nothing can be trained.
        manifests: Newest first; `manifest` is the chosen one: the active one unless another was asked for.
        base_model: The chosen one; `usual_base` is the project's.
        recipe: The chosen preset; `usual_recipe` is the one that suits task and base.
        fields: Of the recipe, with the preset's values.
    """

    task_profile: str | None
    manifests: list[ManifestChoice]
    manifest: int | None
    base_models: dict[str, str]
    base_model: str
    usual_base: str
    recipes: list[str]
    recipe: str
    usual_recipe: str
    eval_packs: dict[str, str]
    fields: list[SettingField]


def task_profile_of(project: int) -> str | None:
    """Of the data in use; None before anything was prepared.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        active = project_of(session, project).active_manifest
        query = select(DataManifest.task_profile).where(DataManifest.project_id == project, DataManifest.version == active)
        found: str | None = session.scalar(query)
        return found


def training_offer(
    project: int, *, manifest: int | None = None, base_model: str | None = None, recipe: str | None = None
) -> TrainingOffer:
    """What may be chosen beside these choices.

    Raises:
        StageError(UnknownProject): There is none of this number.
        StageError(InvalidRequest): There is no such manifest or recipe.
    """
    with reading() as session:
        own = project_of(session, project)
        query = select(DataManifest).where(DataManifest.project_id == project).order_by(DataManifest.version.desc())
        made = [
            ManifestChoice(version=one.version, task_profile=one.task_profile, rows=dict(one.rows))
            for one in session.scalars(query)
        ]
        usual_base, active = own.base_model, own.active_manifest
    version = manifest if manifest is not None else active
    chosen = next((one for one in made if one.version == version), None)
    if manifest is not None and chosen is None:
        cause = f"there is no version {manifest}; there are {', '.join(f'v{one.version}' for one in made) or 'none'}"
        raise StageError(InvalidRequest(), "This manifest can't be trained on", where=f"manifest {manifest}", cause=cause)
    profile = chosen.task_profile if chosen else None
    base = base_model or usual_base
    known = names("recipes")
    if recipe is not None and recipe not in known:
        raise StageError(InvalidRequest(), "There is no such recipe", where=recipe, cause=did_you_mean(recipe, known))
    entry = catalogue().get(base)
    usual_recipe = preset_for(profile, entry.architecture if entry else "causal", base) if profile else "classification"
    preset = load("recipes", recipe or usual_recipe, Recipe)
    options = {locator: f"{one.name} ({locator})" for locator, one in catalogue().items()}
    return TrainingOffer(
        task_profile=profile, manifests=made, manifest=version if chosen else None,
        base_models={usual_base: options.get(usual_base, usual_base)} | options | ({base: base} if base not in options else {}),
        base_model=base, usual_base=usual_base, recipes=known, recipe=preset.id, usual_recipe=usual_recipe,
        eval_packs={one.pack_id: f"{one.display_name}: {one.description}" for one in eval_packs(profile)},
        fields=setting_fields(preset),
    )  # fmt: skip


def setting_fields(preset: Recipe) -> list[SettingField]:
    """The settings of a recipe in the order of their groups, as its JSON schema describes them."""
    described: dict[str, dict[str, Any]] = Recipe.model_json_schema()["properties"]
    grouped = {name: group for group, members in GROUPS.items() for name in members}
    order = [*grouped, *(name for name in described if name not in grouped)]
    return [
        _field(name, grouped.get(name, "Further"), described[name], getattr(preset, name)) for name in order if name != "id"
    ]  # fmt: skip


def _field(name: str, group: str, schema: Mapping[str, Any], usual: Any) -> SettingField:
    choices = [str(one) for one in schema.get("enum", ())]
    kind: Literal["choice", "whole", "number"] = "choice" if choices else "whole" if schema.get("type") == "integer" else "number"
    return SettingField(
        name=name, group=group, kind=kind, choices=choices, usual=usual, bounds=_bounds(schema),
        meaning=" ".join(str(schema.get("description", "")).split()),
    )  # fmt: skip


def _bounds(schema: Mapping[str, Any]) -> str:
    words = {"exclusiveMinimum": "above", "minimum": "at least", "exclusiveMaximum": "below", "maximum": "at most"}
    return ", ".join(f"{said} {schema[name]:g}" for name, said in words.items() if name in schema)


def setting_problems(recipe: str, settings: Mapping[str, str]) -> dict[str, str]:
    """What can't be used of settings given as text, by the setting's name; {} where all can."""
    preset = load("recipes", recipe, Recipe)
    try:
        Recipe.model_validate(preset.model_dump() | dict(settings))
    except ValidationError as error:
        found: dict[str, str] = {}
        for one in error.errors():
            found.setdefault(str(one["loc"][0]) if one["loc"] else "", fault_words(one))
        return found
    return {}


def differing(recipe: str, told: Mapping[str, Any]) -> dict[str, str]:
    """Of a recipe's settings those that are not the preset's, as text: what `settings` of a request takes."""
    preset = load("recipes", recipe, Recipe).model_dump(mode="json")
    return {name: _text(told[name]) for name in preset if name != "id" and name in told and told[name] != preset[name]}


def implied(recipe: str, settings: Mapping[str, str]) -> dict[str, str]:
    """What the recipe sets by itself beside these: every weight is trained at a learning rate of its own."""
    preset = load("recipes", recipe, Recipe)
    if settings.get("method") == "full" != preset.method and "learning_rate" not in settings:
        return {"learning_rate": _text(FULL_LEARNING_RATE)}
    return {}


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
