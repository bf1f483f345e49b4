"""What training would do here, computed from the rows and the recipe."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from brewslm.models.catalogue import BaseModelInfo
from brewslm.models.memory import Base, Basis, MemoryEstimate, PassShape, estimate
from brewslm.models.packing import Packable, shared_prefix
from brewslm.models.recipe import Recipe
from brewslm.models.runtime import RuntimeProfile
from brewslm.models.work import flops
from brewslm.stages.preflight.passes import method_of, steps_of
from brewslm.stages.preflight.speed import LastSpeed, pace


class TrainPlan(BaseModel):
    """What training would do.

    Attributes:
        longest_tokens: Of any row that is trained on.
        memory_bytes: Estimated peak, by what holds it, with "total".
        memory_basis: As in MemoryEstimate.
        seconds: Of all its steps, estimated.
        seconds_basis: Where the speed behind it is from.
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
    memory_basis: Basis
    seconds: float
    seconds_basis: str


PAIRS_OVER = 0.3
"""Of the estimate, that pairs take on top: not calibrated. Two trainings by DPO took 3.7 and 3.9 GB where 3.0 was estimated."""


class Planner:
    """Computes plans over the same rows, for one recipe after another.

    Args:
        examples: Every row that could be trained on, however long; a recipe's max_length leaves the longer ones out.
        has_dev: There are rows that measure the dev loss.
    """

    def __init__(
        self,
        base: BaseModelInfo,
        model: Base,
        runtime: RuntimeProfile,
        examples: Sequence[Packable],
        last: LastSpeed | None = None,
        has_dev: bool = True,
    ) -> None:
        self.base, self.model, self.runtime, self.has_dev = base, model, runtime, has_dev
        self._examples, self._last = examples, last
        self._steps: dict[tuple[int, int, int], list[list[PassShape]]] = {}

    @property
    def most_tokens(self) -> int:
        """Of a row that every layer sees whole."""
        return min(self.base.context_length, self.model.shape.window or self.base.context_length)

    def longest(self, most: int) -> int:
        """Tokens of the longest row with at most so many; 0 where there is none."""
        return max((example.longest for example in self._examples if example.longest <= most), default=0)

    def rows(self, recipe: Recipe) -> list[Packable]:
        """Those that the recipe trains on."""
        return [example for example in self._examples if example.longest <= recipe.max_length]

    def steps(self, recipe: Recipe) -> list[list[PassShape]]:
        """The passes of each step of one epoch."""
        key = (recipe.batch_size, recipe.pack_tokens, recipe.max_length)
        if key not in self._steps:
            steps = steps_of(recipe, self.rows(recipe))
            self._steps[key] = [[PassShape.of(packed) for packed in packs] for packs in steps]
        return self._steps[key]

    def passes(self, recipe: Recipe) -> list[PassShape]:
        """Of one epoch."""
        return [one for step in self.steps(recipe) for one in step]

    def memory(self, recipe: Recipe) -> MemoryEstimate:
        """Of the pass that takes most."""
        method = method_of(recipe, self.runtime)
        passes, shapes = max(len(step) for step in self.steps(recipe)), set(self.passes(recipe))
        varied = len({one.tokens for one in shapes}) > 1
        steps = max(1, round(recipe.epochs * len(self.steps(recipe))))
        found = (estimate(self.model, method, one, passes, steps=steps, varied=varied) for one in shapes)
        most = max(found, key=lambda needs: needs.total)
        if recipe.objective == "supervised":
            return most
        return most.model_copy(update={"overhead": most.overhead + round(PAIRS_OVER * most.total), "basis": "formula"})

    def plan(self, recipe: Recipe) -> TrainPlan:
        """All of it."""
        rows, needs = self.rows(recipe), self.memory(recipe)
        tokens = sum(example.tokens for example in rows)
        shape, method = self.model.shape, method_of(recipe, self.runtime)
        speed = pace(shape, method, self.runtime, self._last, self.passes, tokens)
        work = flops(shape, method, self.passes(recipe)) * recipe.epochs
        if recipe.objective == "dpo":  # the base's own log-probabilities, before the first step
            work += flops(shape, method, self.passes(recipe), backward=False)
        return TrainPlan(
            base_model=self.base.locator, recipe=recipe, runtime=self.runtime, rows=len(rows),
            steps=max(1, round(recipe.epochs * -(-len(rows) // recipe.batch_size))), tokens=tokens,
            longest_tokens=self.longest(recipe.max_length), shared_prefix_tokens=len(shared_prefix(rows)),
            memory_bytes=needs.parts(), memory_basis=needs.basis, seconds=round(work / speed.flops_per_second, 3),
            seconds_basis=speed.basis,
        )  # fmt: skip
