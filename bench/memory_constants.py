"""The process around a training's tensors: what it takes by itself, and what its allocator holds without use."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench.memory_child import run_here
from bench.memory_settings import AIM, Setting, examples_of, job_of, planned
from brewslm.models.memory import constants
from brewslm.presets import FOLDER

HEAD = """\
# Written by python -m bench.memory_fit --calibrate, on the machine that bench/results/memory_fit.json names; not by hand.
# counted: bytes of each element that a training keeps, by method and precision. slack: what the process takes of a byte of
# activations (glibc keeps freed blocks; on CUDA and MPS no more is known than that their allocators keep about a tenth).
# gemm_share: how much of a matrix product's speed whole trainings reached.
"""
FORMULA = {"slack": {"cuda": 1.1, "mps": 1.1}, "runtime_bytes": {"cuda": 700_000_000, "mps": 900_000_000}}
"""Not measured by those who built this: a CUDA context with its kernels, and on MPS the process itself."""


def write_constants(**changed: Any) -> None:
    """Write the file with these keys changed."""
    known = constants().model_dump() | changed
    for key, values in FORMULA.items():
        known[key] = known[key] | values
    (FOLDER / "memory.yaml").write_text(HEAD + yaml.safe_dump(known, sort_keys=True, width=130))
    constants.cache_clear()


def fit_process(settings: list[Setting], work: Path) -> dict[str, Any]:
    """Train each, and choose the process's constants so that the largest error, from the aim, is as small as it can be."""
    from scipy.optimize import linprog

    bounds: list[list[float]] = []
    limits: list[float] = []
    shares: dict[str, list[float]] = {"fp32": [], "bf16": []}
    for number, setting in enumerate(settings):
        job = job_of(setting, work / str(number), work / "models")
        plan = planned(setting, job, work / str(number))
        ended = run_here(job, work / str(number), setting.precision)
        held, peak = plan.memory_bytes, ended["peak_bytes"]
        slack = [held["activations"] / peak if setting.precision == name else 0.0 for name in shares]
        row, rest = [2**30 / peak, *slack], (held["weights"] + held["trained"] + held["logits"]) / peak - 1 - AIM
        bounds += [[*row, -1], [*(-one for one in row), -1]]
        limits += [-rest, rest]
        shares[setting.precision].append(_gemm_share(job, setting, ended["seconds_per_step"]))
    found = linprog([0, 0, 0, 1], A_ub=bounds, b_ub=limits, bounds=[(0.3, 1.5), (1, 3), (1, 3), (0, None)]).x
    print(f"the process: {found[0]:.2f} GB and slack {found[1]:.2f}, {found[2]:.2f}; off from the aim by {found[3]:.1%} at most")
    return {
        "runtime_bytes": {"cpu": int(found[0] * 2**30)},
        "slack": {name: round(float(value), 3) for name, value in zip(shares, found[1:3], strict=True)},
        "gemm_share": {name: round(float(np.median(values)), 3) for name, values in shares.items()},
    }


def _gemm_share(job: Any, setting: Setting, seconds: float) -> float:
    """The operations of a step over its time, as a share of what a product of the model's sizes does now."""
    from brewslm.models.memory import PassShape
    from brewslm.models.shape import shape_of
    from brewslm.models.work import flops, gemm_flops
    from brewslm.stages.preflight.passes import method_of, packs_of

    shape, runtime = shape_of(job.train.base.folder), job.preflight.runtime
    bf16 = setting.precision == "bf16"
    passes = [PassShape.of(packed) for packed in packs_of(job.train.recipe, examples_of(job))]
    method = method_of(job.train.recipe, runtime).model_copy(update={"bf16": bf16})
    gemm_flops.cache_clear()
    return flops(shape, method, passes) / seconds / gemm_flops(shape.hidden, shape.inner, bf16, runtime.threads)
