"""A recipe: every number of a training run that a person may choose."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.loading import bf16_is_fast
from brewslm.presets import checked, load, names

Method = Literal["lora", "dora", "full", "qlora"]
Objective = Literal["supervised", "dpo", "orpo"]
RECIPE_STEP = {
    "supervised": "Leave --recipe out, or --set objective=supervised.",
    "preference": "Take --recipe preference, or --set objective=dpo.",
}
"""What to do, by a handler's objective, about a recipe that does not suit it."""
FULL_LEARNING_RATE = 2e-5
"""What suits an adapter is too much for every weight: the presets' rate undid what the base model could."""


class Recipe(BaseModel):
    """How to train. The presets are one file per task profile."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: str
    objective: Objective = "supervised"
    """What is lowered: the loss of right answers; or, on pairs of answers, that of DPO (Rafailov et al. 2023), which compares
    with the base model, or of ORPO (Hong et al. 2024), which learns the better answer as well and needs no comparison."""
    beta: float = Field(0.1, gt=0)
    """Of DPO: how dear it is to leave the base model; smaller moves further. Of ORPO: what the preference weighs beside the
    loss of the better answer (λ in its paper). Of no use to supervised training."""
    method: Method = "lora"
    """DoRA learns each weight's length apart from its direction: slower, with a little more memory. Full trains every weight.
    QLoRA is LoRA on a base held in 4 bits."""
    lora_r: int = Field(16, gt=0)
    """Rank of the adapter."""
    lora_alpha: int = Field(32, gt=0)
    """What the adapter counts for, over its rank: with twice the rank, twice this keeps its scale."""
    lora_top_layers: float = Field(1.0, gt=0, le=1)
    """Share of the layers, from the top, that get an adapter. Below them nothing is computed backwards, which is faster."""
    epochs: float = Field(1.0, gt=0)
    """How often each row is learned from."""
    batch_size: int = Field(16, gt=0)
    """Rows per optimizer step."""
    learning_rate: float = Field(5e-4, gt=0)
    """Of its highest step. Too much undoes what the base model could; every weight (full) wants far less than an adapter."""
    warmup_share: float = Field(0.05, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    schedule: Literal["linear", "cosine", "constant"] = "cosine"
    """How the learning rate falls after it has risen."""
    weight_decay: float = Field(0.0, ge=0)
    """Share of each trained weight that a step takes back, times the learning rate."""
    max_grad_norm: float = Field(1.0, gt=0)
    """A longer gradient is shortened to this."""
    max_length: int = Field(512, gt=1)
    """Tokens; a longer row is rejected as over_length, never cut."""
    pack_tokens: int = Field(1024, gt=0)
    """Tokens of one forward and backward pass: bounds memory, and a step is the same mean over its rows' tokens."""
    checkpoints: int = Field(2, gt=0)
    """How many checkpoints a run writes, the dev loss measured at each; the one where it is lowest becomes the adapter."""
    patience: int = Field(0, ge=0)
    """Checkpoints in a row without a lower dev loss after which training stops; 0 for never."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of matrix products; sums, norms, the loss and the adapter are in fp32 whatever this says. auto: bf16 where this machine
    multiplies it fast."""
    seed: int = 42
    """Of the rows' order and of the adapter's first weights: the same seed on the same machine gives the same weights."""

    def suits(self, objective: str) -> bool:
        """Whether rows of a handler's objective, "supervised" or "preference", can be trained by it."""
        return (objective == "supervised") == (self.objective == "supervised")

    def multiplies_in_bf16(self) -> bool:
        """What `precision` means on this machine."""
        return self.precision == "bf16" or (self.precision == "auto" and bf16_is_fast())


def preset_for(task_profile: str, architecture: ArchitectureName, locator: str = "") -> str:
    """The name of the recipe that suits them: one of their own, or else that of the task profile.

    Args:
        locator: Of the base model: one that is made on the spot has everything to learn.
    """
    known = names("recipes")
    made = f"{task_profile}_made"
    if locator.startswith("made:") and made in known:
        return made
    own = f"{task_profile}_{architecture}"
    return own if own in known else task_profile


def recipe_named(name: str, settings: dict[str, str] | None = None) -> Recipe:
    """A preset recipe, with `key=value` settings on top. Training every weight has a learning rate of its own, unless one is set.

    Raises:
        StageError(InvalidRequest): The recipe, a key or a value is not known.
    """
    preset = load("recipes", name, Recipe)
    given = settings or {}
    own = {"learning_rate": FULL_LEARNING_RATE} if given.get("method") == "full" != preset.method else {}
    return checked(preset.model_dump() | own | given, Recipe, f"recipe {name}")
