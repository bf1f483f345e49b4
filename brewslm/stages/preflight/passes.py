"""The passes of a training: what its memory and its time are counted from."""

from collections.abc import Iterator, Sequence

from brewslm.models.memory import Method
from brewslm.models.packing import Pack, Packable, pack, shared_prefix
from brewslm.models.recipe import Recipe
from brewslm.models.runtime import RuntimeProfile


def steps_of(recipe: Recipe, examples: Sequence[Packable]) -> Iterator[list[Pack]]:
    """The passes of each step if the longest rows met in one: no order of rows needs more memory, and all have these tokens."""
    prefix = shared_prefix(examples)
    ordered = sorted(examples, key=lambda example: example.tokens, reverse=True)
    for at in range(0, len(ordered), recipe.batch_size):
        yield pack(ordered[at : at + recipe.batch_size], prefix, recipe.pack_tokens)


def method_of(recipe: Recipe, runtime: RuntimeProfile) -> Method:
    """What of the recipe and the machine decides about memory."""
    return Method(
        name=recipe.method, rank=recipe.lora_r, top_layers=recipe.lora_top_layers, bf16=recipe.multiplies_in_bf16(),
        device=runtime.device,
    )  # fmt: skip
