"""The process around a training's tensors: what it takes by itself, and what its allocator holds without use."""

import sys
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
import yaml

from bench.memory_child import Trained
from bench.memory_settings import AIM, examples_of, planned
from brewslm.models.memory import constants
from brewslm.presets import FOLDER

HEAD = """\
# Written by python -m bench.memory_fit --calibrate, on the machine that bench/results/memory_fit.json names; not by hand.
# counted: bytes of each element that a training keeps, by method and precision. slack: what the process takes of a byte of
# activations (glibc keeps freed blocks; of CUDA and MPS a tenth is assumed). further_pass_bytes: of a step's further passes.
# doubled_steps_bytes: what each doubling of steps of differing length adds.
# gemm_share: how much of a matrix product's speed whole trainings reached.
"""
PRECISIONS = ("fp32", "bf16")
FORMULA = {"slack": {"cuda": 1.1, "mps": 1.1}, "runtime_bytes": {"cuda": 700_000_000, "mps": 900_000_000}}
"""Not measured by those who built this: a CUDA context with its kernels, and on MPS the process itself."""


def write_constants(**changed: Any) -> None:
    """Write the file with these keys changed."""
    known = constants().model_dump() | changed
    known["slack"] = dict.fromkeys(known["counted"], 1.0) | known["slack"]  # of a method that is counted for the first time
    for key, values in FORMULA.items():
        known[key] = known[key] | values
    (FOLDER / "memory.yaml").write_text(HEAD + yaml.safe_dump(known, sort_keys=True, width=130))
    constants.cache_clear()


@dataclass(frozen=True)
class Seen:
    """One training: what its plan holds, and what it took.

    Attributes:
        kind: Method and precision.
        varied: Steps differ in their lengths.
        further: Passes of a step beyond the first, as the estimate counts them.
        doublings: Of its steps; 0 where they are alike.
        known: Bytes that the estimate has no constant of the process for.
        gemm_share: None where steps differ.
    """

    kind: str
    further: int
    varied: bool
    doublings: float
    known: int
    activations: int
    peak: int
    gemm_share: float | None


def fit_process(runs: list[Trained]) -> dict[str, Any]:
    """Choose the process's constants so that the estimate is nearest to the aim, in relative least squares."""
    from scipy.optimize import lsq_linear

    seen = [_seen(run) for run in runs]
    kinds = sorted({one.kind for one in seen})
    table = [
        [
            2**30 / one.peak,
            one.further * 2**30 / one.peak,
            one.doublings * 2**30 / one.peak,
            *(one.activations / one.peak * (one.kind == kind) for kind in kinds),
            *(one.activations / one.peak * (one.kind == kind and one.varied) for kind in kinds),
        ]
        for one in seen
    ]
    wanted = [1 + AIM - one.known / one.peak for one in seen]
    least = [0.4, 0.0, 0.0, *([1.0] * len(kinds)), *([0.0] * len(kinds))]
    most = [1.5, 0.3, 0.3, *([2.5] * len(kinds)), *([1.0] * len(kinds))]
    found = lsq_linear(np.array(table), np.array(wanted), bounds=(least, most)).x
    off = np.array(table) @ found - np.array(wanted)
    print(f"the process is fitted; off from the aim by {off.min():+.1%} to {off.max():+.1%}", file=sys.stderr)
    by_precision = {name: [one.gemm_share for one in seen if one.kind.endswith(name) and one.gemm_share] for name in PRECISIONS}
    shares = {name: round(float(np.median(found)), 3) for name, found in by_precision.items() if found}
    return {
        "runtime_bytes": {"cpu": int(found[0] * 2**30)}, "further_pass_bytes": int(found[1] * 2**30),
        "doubled_steps_bytes": int(found[2] * 2**30),
        "slack": {kind: round(float(value), 3) for kind, value in zip(kinds, found[3:], strict=False)},
        "varied": {kind: round(float(value), 3) for kind, value in zip(kinds, found[3 + len(kinds) :], strict=True)},
        "gemm_share": constants().gemm_share | shares,
    }  # fmt: skip


def _seen(run: Trained) -> Seen:
    from brewslm.models.memory import FURTHER_PASSES
    from brewslm.stages.preflight.passes import steps_of

    recipe, held = run.job.train.recipe, planned(run.job).memory_bytes
    steps, kept = list(steps_of(recipe, examples_of(run.job))), _kept(run)
    varied = len({len(packed.ids) for step in steps for packed in step}) > 1
    return Seen(
        kind=f"{recipe.method} {run.setting.precision}", further=min(FURTHER_PASSES, max(len(step) for step in steps) - 1),
        varied=varied, doublings=log2(len(steps)) if varied else 0.0,
        known=held["total"] - held["overhead"] - held["runtime"] - kept, activations=kept, peak=run.peak_bytes,
        gemm_share=_gemm_share(run.job, steps[0], run.seconds_per_step) if len(steps) == 1 and run.seconds_per_step else None,
    )  # fmt: skip


def _kept(run: Trained) -> int:
    """Bytes of activations of the largest pass, whether they come on top of gradients or not."""
    from brewslm.models.memory import LOGITS, PassShape, features
    from brewslm.models.shape import shape_of
    from brewslm.stages.preflight.passes import method_of, steps_of

    recipe = run.job.train.recipe
    method, shape = method_of(recipe, run.job.preflight.runtime), shape_of(run.job.train.base.folder)
    passes = [PassShape.of(packed) for step in steps_of(recipe, examples_of(run.job)) for packed in step]
    one = max(passes, key=lambda one: one.tokens)
    weigh = constants().counted[f"{method.name} {method.precision}"]
    left_out = (*LOGITS, "trained", "base_weights")
    found = features(shape, method, one).items()
    return round(sum(count * weigh.get(name, 0.0) for name, count in found if name not in left_out))


def _gemm_share(job: Any, step: list[Any], seconds: float) -> float:
    """The operations of a step over its time, as a share of what a product of the model's sizes does now."""
    from brewslm.models.memory import PassShape
    from brewslm.models.shape import shape_of
    from brewslm.models.work import flops, gemm_flops
    from brewslm.stages.preflight.passes import method_of

    shape, runtime = shape_of(job.train.base.folder), job.preflight.runtime
    method = method_of(job.train.recipe, runtime)
    gemm_flops.cache_clear()
    done = flops(shape, method, [PassShape.of(packed) for packed in step])
    return done / seconds / gemm_flops(shape.hidden, shape.inner, method.bf16, runtime.threads)
