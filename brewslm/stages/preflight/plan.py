"""What training would do here, computed from the rows and the recipe."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from brewslm.models.catalogue import BaseModelInfo
from brewslm.models.memory import estimate
from brewslm.models.packing import Example, pack, shared_prefix
from brewslm.models.recipe import Recipe
from brewslm.models.runtime import RuntimeProfile


class TrainPlan(BaseModel):
    """What training would do.

    Attributes:
        longest_tokens: Of any row that is trained on.
        memory_bytes: Estimated peak, by what holds it, with "total".
    """

    model_config = ConfigDict(frozen=True)

    base_model: str
    recipe: Recipe
    runtime: RuntimeProfile
    rows: int
    steps: int
    tokens: int
    longest_tokens: int
    shared_prefix_tokens: int
    memory_bytes: dict[str, int]


def train_plan(base: BaseModelInfo, recipe: Recipe, runtime: RuntimeProfile, examples: Sequence[Example]) -> TrainPlan:
    """The plan for these rows."""
    prefix = shared_prefix(examples)
    packs = pack(sorted(examples, key=lambda example: len(example.ids)), prefix, recipe.pack_tokens)
    # A pack of any batch is at most as large as the budget or the longest row, whichever is more.
    longest = max(len(packed.ids) for packed in packs)
    needs = estimate(base, recipe.lora_r, longest, max(packed.supervised for packed in packs))
    batches = -(-len(examples) // recipe.batch_size)
    return TrainPlan(
        base_model=base.locator, recipe=recipe, runtime=runtime, rows=len(examples),
        steps=max(1, round(recipe.epochs * batches)), tokens=sum(len(example.ids) for example in examples),
        longest_tokens=max(len(example.ids) for example in examples), shared_prefix_tokens=len(prefix),
        memory_bytes={**needs.model_dump(), "total": needs.total},
    )  # fmt: skip
