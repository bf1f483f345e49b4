"""Three plans beside the recipe as it is: what to change for safety, for balance, for quality, and why."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from brewslm.models.memory import Basis
from brewslm.models.recipe import Recipe
from brewslm.stages.contract import PlanName
from brewslm.stages.preflight.finding import gigabytes
from brewslm.stages.preflight.plan import Planner

SAFE_SHARE = 0.6
"""Of the usable memory, that the safe plan stays below: what else the machine does meanwhile shall not end it."""


class Change(BaseModel):
    """One key of the recipe that a plan changes."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    field: str
    was: Any = Field(alias="from")
    to: Any
    reason: str


class PlanOffer(BaseModel):
    """A plan: the recipe with its changes, and what that takes.

    Attributes:
        fits: Its memory is within what may be used.
    """

    model_config = ConfigDict(frozen=True)

    name: PlanName
    changes: list[Change]
    recipe: Recipe
    rows: int
    steps: int
    memory_bytes: int
    memory_basis: Basis
    seconds: float
    fits: bool


class _Draft:
    """A recipe that is changed key by key."""

    def __init__(self, planner: Planner, recipe: Recipe) -> None:
        self._planner, self._begun, self.recipe = planner, recipe, recipe
        self._reasons: dict[str, str] = {}

    def change(self, key: str, value: Any, reason: str) -> None:
        """Change it, unless it is so already."""
        if getattr(self.recipe, key) != value:
            self.recipe = self.recipe.model_copy(update={key: value})
            self._reasons[key] = reason

    def fit(self, limit: float) -> None:
        """Lower what memory hangs on, the cheapest first, until the peak is below the limit (bytes) or nothing is left to lower.

        Fewer tokens in one pass change the speed alone; a smaller adapter, and then fewer layers, what can be learned.
        """
        needed = self._planner.memory(self.recipe).total
        reason = f"{gigabytes(needed)} were needed, and {gigabytes(limit)} is the limit"
        longest = self._planner.longest(self.recipe.max_length)
        for key, lower in _LOWER:
            while needed > limit:
                value = lower(self.recipe, longest)
                less = self._planner.memory(self.recipe.model_copy(update={key: value})).total
                if less >= needed:
                    break
                self.change(key, value, reason)
                needed = less
        self.keep_scale()

    def keep_scale(self) -> None:
        """An adapter counts for as much as before, whatever its rank is now."""
        alpha = max(1, round(self._begun.lora_alpha * self.recipe.lora_r / self._begun.lora_r))
        self.change("lora_alpha", alpha, "its scale, alpha over rank, stays as it was")

    def offer(self, name: PlanName) -> PlanOffer:
        """What came of it."""
        changes = [
            Change(field=key, was=getattr(self._begun, key), to=getattr(self.recipe, key), reason=reason)
            for key, reason in self._reasons.items()
            if getattr(self._begun, key) != getattr(self.recipe, key)
        ]
        plan = self._planner.plan(self.recipe)
        total = plan.memory_bytes["total"]
        return PlanOffer(
            name=name, changes=changes, recipe=self.recipe, rows=plan.rows, steps=plan.steps, memory_bytes=total,
            memory_basis=plan.memory_basis, seconds=plan.seconds, fits=total <= self._planner.runtime.memory_bytes,
        )  # fmt: skip


def _half_pack(recipe: Recipe, longest: int) -> int:
    return recipe.pack_tokens if recipe.pack_tokens <= longest else max(longest, recipe.pack_tokens // 2)


_LOWER: tuple[tuple[str, Callable[[Recipe, int], Any]], ...] = (
    ("pack_tokens", _half_pack),
    ("method", lambda recipe, _: "lora" if recipe.method == "dora" else recipe.method),
    ("lora_r", lambda recipe, _: max(min(recipe.lora_r, 8), recipe.lora_r // 2)),
    ("lora_top_layers", lambda recipe, _: max(min(recipe.lora_top_layers, 0.25), recipe.lora_top_layers / 2)),
)


def safe(planner: Planner, recipe: Recipe) -> PlanOffer:
    """It ends well even where memory is short or the run is cut off."""
    draft, limit = _Draft(planner, recipe), SAFE_SHARE * planner.runtime.memory_bytes
    draft.fit(limit)
    if recipe.method not in ("lora", "dora", "qlora") and planner.memory(draft.recipe).total > limit:
        draft.change("method", "lora", "an adapter takes a quarter of what every weight, its gradient and two moments take")
        draft.change("learning_rate", Recipe.model_fields["learning_rate"].default, "an adapter wants a larger one")
    draft.change("checkpoints", max(4, recipe.checkpoints), "a run that is cut off loses at most a quarter")
    return draft.offer("safe")


def balanced(planner: Planner, recipe: Recipe) -> PlanOffer:
    """The recipe, with only what it needs to fit, and an end when the dev loss has stopped falling."""
    draft = _Draft(planner, recipe)
    draft.fit(planner.runtime.memory_bytes)
    if recipe.epochs > 1 and planner.has_dev:
        _stop_early(draft)
    return draft.offer("balanced")


def max_quality(planner: Planner, recipe: Recipe) -> PlanOffer:
    """All layers, a larger adapter, no row left out that the model can read; twice the time, where a dev slice tells the end."""
    draft = _Draft(planner, recipe)
    longest = planner.longest(planner.most_tokens)
    if longest > recipe.max_length:
        draft.change("max_length", longest, f"rows of up to {longest} tokens are left out otherwise")
    if recipe.method in ("lora", "dora"):
        draft.change("lora_top_layers", 1.0, "every layer learns")
        draft.change("lora_r", max(32, recipe.lora_r), "a larger adapter can hold more")
    if planner.has_dev:
        draft.change("epochs", 2 * recipe.epochs, "twice the time; the checkpoint with the lowest dev loss is kept")
        _stop_early(draft)
    draft.fit(planner.runtime.memory_bytes)
    return draft.offer("max_quality")


def _stop_early(draft: _Draft) -> None:
    draft.change("checkpoints", max(6, draft.recipe.checkpoints), "the dev loss is measured at each")
    draft.change("patience", draft.recipe.patience or 2, "it ends when the dev loss has stopped falling")


PLANS: dict[PlanName, Callable[[Planner, Recipe], PlanOffer]] = {"safe": safe, "balanced": balanced, "max_quality": max_quality}


def offers(planner: Planner, recipe: Recipe) -> list[PlanOffer]:
    """All three."""
    return [make(planner, recipe) for make in PLANS.values()]
