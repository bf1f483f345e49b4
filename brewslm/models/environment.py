"""What besides the job decides the last digit of a training run: recorded with it, and compared when it is run again."""

import os
import platform
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.models.recipe import Recipe
from brewslm.models.runtime import device_found

LIBRARIES = ("torch", "transformers", "peft", "accelerate")


class Environment(BaseModel):
    """Where a run was trained.

    Attributes:
        threads: That torch computed with: sums are split among them.
        precision: Of products: "fp32" or "bf16".
        cpu: Instructions that torch's kernels were chosen for, such as "AVX512".
        libraries: Their versions.
    """

    model_config = ConfigDict(frozen=True)

    device: str
    threads: int
    precision: str
    cpu: str
    machine: str
    python: str
    libraries: dict[str, str]

    def differences(self, now: "Environment") -> list[str]:
        """What is otherwise now, one sentence part each: "threads 2, now 1"."""
        then, other = _flat(self), _flat(now)
        names = [name for name in sorted(then | other) if then.get(name) != other.get(name)]
        return [f"{name} {then.get(name)}, now {other.get(name)}" for name in names]


def environment(recipe: Recipe) -> Environment:
    """This process's, once its threads are set."""
    import torch

    more = () if recipe.objective == "supervised" else ("trl",)
    return Environment(
        device=device_found(), threads=torch.get_num_threads(), precision="bf16" if recipe.multiplies_in_bf16() else "fp32",
        cpu=torch.backends.cpu.get_cpu_capability(), machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        python=platform.python_version(), libraries={name: version(name) for name in (*LIBRARIES, *more)},
    )  # fmt: skip


def _flat(one: Environment) -> dict[str, Any]:
    return one.model_dump(exclude={"libraries"}) | one.libraries
