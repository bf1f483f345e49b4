"""How many bytes a training keeps of what, counted with torch's profiler on small models of many shapes: no noise, no guess.

Each shape is trained by the product's own trainer; the peak of all tensors that were alive at one moment is what is fitted.
"""

import gc
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from bench.memory_settings import Made, Setting, examples_of, job_of
from brewslm.models.memory import FLOAT_BYTES, GRADIENT_BYTES, MOMENT_BYTES, Method, PassShape, features
from brewslm.models.recipe import Recipe
from brewslm.models.shape import ModelShape

SHAPES = 18
ROUNDS = 6
VOCABULARIES = ((4_200, 6_000, 12_000), (4_200, 12_000, 30_000))
"""Of models whose embedding is frozen, and of those where it has a gradient."""


@dataclass(frozen=True)
class Count:
    """One training.

    Attributes:
        shape: Of the model.
        features: See models.memory.features.
        peak: Bytes of all tensors that were alive at once.
        beside_weights: Of them, those that are not the base model's own weights.
    """

    shape: ModelShape
    features: dict[str, float]
    peak: int
    beside_weights: int


def methods() -> tuple[str, ...]:
    """Those that this version trains, and that no other library must be there for."""
    known = get_args(Recipe.model_fields["method"].annotation)
    return tuple(name for name in ("lora", "dora", "full") if name in known)


def settings(method: str, precision: str) -> Iterator[Setting]:
    """Small models and passes of shapes that have little to do with one another."""
    chance = random.Random(f"{method} {precision}")
    for _ in range(SHAPES):
        width, kv = chance.choice((32, 64)), chance.choice((1, 2))
        heads = kv * chance.choice((1, 2, 4))
        hidden, inner = chance.choice((128, 192, 256, 320)), chance.choice((256, 512, 768, 1152))
        layers, vocabulary = (
            chance.choice((3, 4, 6, 8)),
            chance.choice((4_200, 6_000, 12_000) if method != "full" else (4_200, 12_000, 30_000)),
        )
        model = Made("Llama", hidden, layers, inner, heads, kv, width, vocabulary, tied=chance.random() < 0.5)
        tokens = chance.choice((40, 64, 100, 180))
        recipe = {
            "method": method, "lora_r": chance.choice(("4", "16", "48")), "pack_tokens": "100000",
            "lora_top_layers": "1.0" if method == "full" else chance.choice(("0.34", "0.67", "1.0")),
        }  # fmt: skip
        yield Setting(model, chance.choice((2, 4, 8)), tokens, chance.choice((4, tokens // 2)), recipe, precision)


def fitted() -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Bytes of each feature's element by method and precision, and how far the worst count lies from them.

    Each in a process of its own: accelerate keeps the precision of the first training that a process saw.
    """
    found, off = {}, {}
    for method in methods():
        for precision in ("fp32", "bf16"):
            command = [sys.executable, "-m", "bench.memory_count", method, precision]
            said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
            name = f"{method} {precision}"
            found[name], off[name] = json.loads(said.splitlines()[-1])
            print(name, off[name], found[name], file=sys.stderr, flush=True)
    return found, off


def counted(setting: Setting, work: Path) -> Count:
    """Train a setting in this process."""
    from brewslm.processes.context import DirectContext
    from brewslm.stages.preflight.passes import steps_of
    from brewslm.stages.train.run import run

    job, context = job_of(setting, work, work), DirectContext(work)
    job.train.output.mkdir(parents=True)
    peak = _peak(lambda: run(job.train, context))
    recipe = job.train.recipe
    examples = examples_of(job)
    method = Method(name=recipe.method, rank=recipe.lora_r, top_layers=recipe.lora_top_layers, bf16=setting.precision == "bf16")
    assert isinstance(setting.model, Made)
    one = max((PassShape.of(packed) for step in steps_of(recipe, examples) for packed in step), key=lambda one: one.tokens)
    found = Count(
        setting.model.shape, features(setting.model.shape, method, one), peak, peak - FLOAT_BYTES * job.train.base.parameters
    )
    shutil.rmtree(work)
    return found


def _peak(work: Any) -> int:
    from torch.profiler import ProfilerActivity, profile

    gc.collect()  # what an earlier training left would be freed in the midst of this one
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    alive = most = 0
    for event in seen.profiler.kineto_results.events():
        if event.name() == "[memory]":
            alive += event.nbytes()
            most = max(most, alive)
    return most


def _solved_full(counts: list[Count]) -> tuple[dict[str, float], float]:
    """The same where every weight has a gradient: then the forward pass's share is on top of gradients and moments, or beneath.

    Which of the two it is in a training depends on what is sought: a few rounds settle it.
    """
    from scipy.optimize import nnls

    names = [name for name in counts[0].features if name not in ("trained", "base_weights")]
    whole = np.array([count.peak for count in counts], float)
    table = np.array([[count.features[name] for name in names] for count in counts], float)
    weights = np.array([count.shape.parameters for count in counts], float)
    first = np.array([GRADIENT_BYTES * count.shape.vocabulary * count.shape.hidden for count in counts], float)
    beside = np.array([count.beside_weights for count in counts], float)
    on_top, found = np.ones(len(counts), bool), np.zeros(len(names))
    for _ in range(ROUNDS):
        wanted = beside - MOMENT_BYTES * weights - first
        found, _ = nnls(table[on_top] / whole[on_top, None], wanted[on_top] / whole[on_top])
        on_top = table @ found + first > GRADIENT_BYTES * weights
    said = MOMENT_BYTES * weights + np.maximum(table @ found + first, GRADIENT_BYTES * weights)
    kept = {name: round(float(weight), 3) for name, weight in zip(names, found, strict=True) if weight > 0.005}
    return kept, round(float(np.abs((said - beside) / whole).max()), 4)


def _solved(counts: list[Count]) -> tuple[dict[str, float], float]:
    """Least squares of the error relative to the whole peak, no weight below zero; and the largest error that is left."""
    from scipy.optimize import nnls

    names = list(counts[0].features)
    whole = np.array([count.peak for count in counts], float)
    table = np.array([[count.features[name] for name in names] for count in counts], float) / whole[:, None]
    wanted = np.array([count.beside_weights for count in counts], float) / whole
    weights, _ = nnls(table, wanted)
    found = {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True) if weight > 0.005}
    return found, round(float(np.abs(table @ weights - wanted).max()), 4)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as folder:
        counts = [counted(one, Path(folder) / str(number)) for number, one in enumerate(settings(*sys.argv[1:]))]
    print(json.dumps((_solved_full if sys.argv[1] == "full" else _solved)(counts)))
