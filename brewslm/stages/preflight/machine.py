"""What this machine must have: packages, memory, disk."""

import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from brewslm.models.formats import export_bytes, missing_packages, needed_toolchains
from brewslm.models.memory import FLOAT_BYTES
from brewslm.models.recipe import Recipe
from brewslm.processes.toolchains import install_command, missing
from brewslm.stages.preflight.finding import Finding, blocker, gigabytes, warning
from brewslm.stages.preflight.plan import TrainPlan

NEEDED = ("torch", "transformers", "peft", "accelerate", "safetensors")
BY_PREFERENCE = ("trl", "datasets")
BY_METHOD = {"qlora": ("bitsandbytes",)}
KEPT = 4
"""Checkpoints that may stand on the disk at once: the best, the two newest, and one that is being written."""
MOMENTS_BYTES = 8
"""AdamW's two, of each trained weight, in a checkpoint."""


def check_dependencies(recipe: Recipe, formats: tuple[str, ...]) -> Iterator[Finding]:
    """Every package that training imports, and that the wanted exports will."""
    by_objective = () if recipe.objective == "supervised" else BY_PREFERENCE
    for name in (*NEEDED, *by_objective, *BY_METHOD.get(recipe.method, ())):
        try:
            version(name)
        except PackageNotFoundError:
            of_method = name in BY_METHOD.get(recipe.method, ())
            wanted = f"{name}, for method {recipe.method}" if of_method else ", ".join((*NEEDED, *by_objective))
            step = "Run make setup." if not of_method else f"Run pip install 'brewslm[{recipe.method}]', or --set method=lora."
            yield blocker("dependency_missing", f"{name} is not installed", wanted, step, fatal=True)
    absent = missing_packages(formats)
    if absent:
        wanted = ", ".join(name for name in formats if missing_packages([name]))
        yield warning("export_toolchain_missing", f"{', '.join(absent)} not installed", f"needed for {wanted}", "Run make setup.")


def check_toolchains(formats: tuple[str, ...]) -> Iterator[Finding]:
    """Formats that a toolchain makes or runs are made only when they are named: without it, what was asked for can't be had."""
    for name, wanted in needed_toolchains(formats).items():
        if missing((name,)):
            measured, limit = f"toolchain {name} is not installed", f"needed for {', '.join(wanted)}"
            yield blocker("export_toolchain_missing", measured, limit, f"Run {install_command([name])}.")


def check_memory(plan: TrainPlan) -> Iterator[Finding]:
    """The estimated peak, held against what may be used."""
    needed, usable = plan.memory_bytes["total"], plan.runtime.memory_bytes
    if needed > usable:
        step = "Lower --set pack_tokens=… or max_length, take --plan safe, or free memory."
        yield blocker("memory_does_not_fit", f"{gigabytes(needed)} needed", f"{gigabytes(usable)} to use", step)


def check_disk(folder: Path, recipe: Recipe, trained: int, parameters: int, formats: tuple[str, ...]) -> Iterator[Finding]:
    """Room for the checkpoints that are kept, and for the wanted exports after them.

    Args:
        folder: Where the experiment will stand; it, or a folder above it, is there.
        trained: Weights that the optimizer moves.
        parameters: Of the base model.
    """
    checkpoints = min(KEPT, recipe.checkpoints + 1) * trained * (FLOAT_BYTES + MOMENTS_BYTES)
    exports = export_bytes(formats, parameters, FLOAT_BYTES * trained)
    free = shutil.disk_usage(next(one for one in (folder, *folder.parents) if one.exists())).free
    if checkpoints > free:
        measured = f"{gigabytes(checkpoints)} needed for checkpoints"
        yield blocker("disk_does_not_fit", measured, f"{gigabytes(free)} free", "Free some space, or --set checkpoints=1.")
    elif checkpoints + exports > free:
        measured = f"{gigabytes(checkpoints + exports)} needed for checkpoints and exports"
        yield warning("disk_short_for_exports", measured, f"{gigabytes(free)} free", "Free some space before you export.")
