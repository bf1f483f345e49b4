"""How much memory a training run takes, counted from the shapes of the model's layers and of its longest pass.

What a layer keeps for the backward pass is a sum of a few products (tokens × width, and so on). How many bytes there are of each
was counted on the product's own training with torch's profiler, and what a process needs around that was measured on whole
trainings: `python -m bench.memory_fit --calibrate` does both again, and writes presets/memory.yaml.
"""

import sys
from functools import cache
from math import log2
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from brewslm.models.packing import Pack
from brewslm.models.shape import ModelShape, shape_of
from brewslm.presets import checked, read_preset

Basis = Literal["measured", "formula"]
FLOAT_BYTES = 4
GRADIENT_BYTES, MOMENT_BYTES = 4, 8
"""Of a weight that is trained; the moments are AdamW's two."""
HEAD_TOKENS = 256
"""Whose logits are there at once, where the output matrix is frozen: CHUNK of models/kernels/head.py."""
FOUR_BIT_BYTES = 4.5 / 8
"""Of a weight in blocks of four bits with their scales."""


MEASURED_OFF = (-0.062, 0.201)
"""How far estimates lay below and above what whole trainings took, of those that no constant was fitted on: the farthest each
way, by bench/results/memory_fit.json."""


class PassShape(BaseModel):
    """One forward and backward pass.

    Attributes:
        supervised: Tokens that the loss is taken over.
        rows, longest: How many rows there are, and the own tokens of the longest.
        prefix: Tokens of the shared prefix.
    """

    model_config = ConfigDict(frozen=True)

    tokens: int
    supervised: int
    rows: int
    longest: int
    prefix: int

    @classmethod
    def of(cls, packed: Pack) -> "PassShape":
        """The shape of a pack."""
        return cls(
            tokens=len(packed.ids), supervised=packed.supervised, rows=len(packed.lengths), longest=max(packed.lengths),
            prefix=packed.prefix,
        )  # fmt: skip


class Method(BaseModel):
    """What of a recipe decides about memory, and where it runs.

    Attributes:
        name: lora, dora, full or qlora.
        top_layers: Share of the layers, from the top, that are trained; below them nothing is kept.
        bf16: Products take their inputs in bf16.
        device: cpu, cuda or mps.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    rank: int
    top_layers: float
    bf16: bool
    device: str = "cpu"

    @property
    def precision(self) -> str:
        """As presets/memory.yaml names it."""
        return "bf16" if self.bf16 else "fp32"

    def trained_layers(self, shape: ModelShape) -> int:
        """Layers with something to train."""
        return shape.layers if self.name == "full" else max(1, round(shape.layers * self.top_layers))

    def trained_weights(self, shape: ModelShape) -> int:
        """Weights that the optimizer moves."""
        if self.name == "full":
            return shape.parameters
        magnitudes = sum(outputs for _, outputs in shape.linear()) if self.name == "dora" else 0
        return self.trained_layers(shape) * (shape.adapter_weights(self.rank) + magnitudes)


class MemoryEstimate(BaseModel):
    """Bytes by what they hold; `total` is the peak.

    Attributes:
        weights: Of the base model, with the copies of its matrices that are multiplied with.
        trained: What is trained beside it (an adapter), with its gradient and the optimizer's two moments.
        activations: What the layers keep for the backward pass.
        logits: Of the supervised tokens, with their gradient, and the copy of the output matrix.
        overhead: What the allocator holds beside the activations without use.
        runtime: Python, torch and the libraries.
        basis: Whether the constants were measured on this kind of device.
    """

    model_config = ConfigDict(frozen=True)

    weights: int
    trained: int
    activations: int
    logits: int
    overhead: int
    runtime: int
    basis: Basis

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.trained + self.activations + self.logits + self.overhead + self.runtime

    def parts(self) -> dict[str, int]:
        """Each part by its name, with "total"."""
        return {**self.model_dump(exclude={"basis"}), "total": self.total}


def spread(total: int) -> tuple[int, int]:
    """Between which bytes the peak lies, where an estimate's constants were measured: see MEASURED_OFF."""
    under, over = MEASURED_OFF
    return round(total / (1 + over)), round(total / (1 + under))


class Constants(BaseModel):
    """presets/memory.yaml.

    Attributes:
        counted: Method and precision, such as "lora fp32" → feature → bytes of each of its elements.
        slack: Method and precision, or a device → what the process takes of a byte of activations: freed blocks are kept.
        varied: Method and precision → what it takes of them besides where steps differ in their lengths: freed blocks don't fit.
        further_pass_bytes: What each further pass of a step, up to the fourth, adds: its blocks don't fit where others were.
        doubled_steps_bytes: Method and precision → what each doubling of the steps adds where they differ in length: a product of
            another length is compiled by itself, and freed blocks are of ever other sizes.
        runtime_bytes: Device → of a process that is ready to train.
        gemm_share: Precision → how much of a matrix product's speed a whole training reaches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    counted: dict[str, dict[str, float]]
    slack: dict[str, float]
    varied: dict[str, float] = {}
    further_pass_bytes: int
    doubled_steps_bytes: dict[str, int]
    runtime_bytes: dict[str, int]
    gemm_share: dict[str, float]


@cache
def constants() -> Constants:
    """What was measured."""
    return checked(read_preset("memory"), Constants, "memory.yaml")


def features(shape: ModelShape, method: Method, one: PassShape) -> dict[str, float]:
    """Elements of each kind that a pass keeps, or needs at its peak; what they weigh stands in the constants."""
    layers, keys = method.trained_layers(shape), one.rows * (one.prefix + one.longest)
    return {
        "layer_hidden": layers * one.tokens * shape.hidden,
        "layer_inner": layers * one.tokens * shape.inner,
        "layer_queries": layers * (one.rows * one.longest + one.prefix) * shape.queries,
        "layer_seen": layers * (keys + one.prefix) * shape.queries,
        "layer_keys": layers * one.tokens * shape.keys,
        "layer_rank": layers * one.tokens * method.rank,
        "layer_weights": layers * shape.layer_weights,
        "base_weights": shape.layers * shape.layer_weights,
        "layer_squares": layers * sum(inputs**2 for inputs, _ in shape.linear()),
        "pass_inner": one.tokens * shape.inner,
        "scores": one.rows * one.longest * (one.prefix + one.longest) * shape.heads,
        "logits": (one.supervised if method.name == "full" else min(one.supervised, HEAD_TOKENS)) * shape.vocabulary,
        "head": shape.vocabulary * shape.hidden,
        "trained": method.trained_weights(shape),
    }


LOGITS = ("logits", "head")
FURTHER_PASSES = 3
READ_OF_EMBEDDING = 0.25
"""Of an embedding that is not the output matrix too, where weights are read from a mapped file: only the rows of used tokens."""


class Base(BaseModel):
    """The base model, as memory is concerned.

    Attributes:
        mapped: Its files hold fp32: they are mapped as they are, and read where they are used. Others are converted when loaded.
    """

    model_config = ConfigDict(frozen=True)

    shape: ModelShape
    parameters: int
    mapped: bool = True

    @classmethod
    def of(cls, folder: Path, parameters: int) -> "Base":
        """That of a model folder."""
        stored = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
        return cls(shape=shape_of(folder), parameters=parameters, mapped=stored > 0.9 * FLOAT_BYTES * parameters)

    def weight_bytes(self, method: Method) -> int:
        """Of its weights in memory."""
        if method.name == "qlora":
            packed = self.shape.layers * self.shape.layer_weights
            return round(packed * FOUR_BIT_BYTES) + FLOAT_BYTES * max(0, self.parameters - packed)
        if not self.mapped and method.name == "lora":  # its kernels put the linear weights into matrices of their own
            return FLOAT_BYTES * max(0, self.parameters - self.shape.layers * self.shape.layer_weights)
        unread = 0.0
        if self.mapped and not self.shape.tied and method.device == "cpu" and method.name != "full":
            unread = (1 - READ_OF_EMBEDDING) * self.shape.vocabulary * self.shape.hidden
        return round(FLOAT_BYTES * (self.parameters - unread))


def estimate(
    base: Base, method: Method, one: PassShape, passes: int = 1, *, steps: int = 1, varied: bool = False
) -> MemoryEstimate:
    """The peak of a training run whose largest pass is `one`; a method that was not counted is taken to keep what LoRA keeps.

    Args:
        passes: Of a step, at most.
        steps: Of the whole run.
        varied: They differ in the tokens of their passes.
    """
    known, name = constants(), f"{method.name} {method.precision}"
    counted = name in known.counted
    name = name if counted else f"lora {method.precision}"
    weigh, on_cpu = known.counted[name], method.device == "cpu"
    found = {feature: count * weigh.get(feature, 0.0) for feature, count in features(base.shape, method, one).items()}
    trained, copies = found.pop("trained"), found.pop("base_weights") if counted else 0.0
    logits = sum(found.pop(feature) for feature in LOGITS)
    activations = sum(found.values())
    slack = known.slack[name if on_cpu else method.device] + (known.varied.get(name, 0.0) if varied and on_cpu else 0.0)
    loose = (slack - 1) * activations
    further = known.further_pass_bytes * min(passes - 1, FURTHER_PASSES) if on_cpu else 0
    grown = known.doubled_steps_bytes.get(name, 0) * log2(steps) if varied and on_cpu else 0
    if method.name == "full":
        weights = method.trained_weights(base.shape)
        trained, share = (GRADIENT_BYTES + MOMENT_BYTES) * weights, beside_gradients(activations + logits, base.shape, weights)
        activations, logits = share * activations, share * logits
    return MemoryEstimate(
        weights=round(base.weight_bytes(method) + copies), trained=round(trained),
        activations=round(activations), logits=round(logits),
        overhead=round(loose + further + grown), runtime=known.runtime_bytes[method.device],
        basis="measured" if on_cpu and counted else "formula",
    )  # fmt: skip


def beside_gradients(held: float, shape: ModelShape, weights: int) -> float:
    """Share of what the forward pass keeps that comes on top of the gradients, where every weight has one.

    What was kept is freed from layer to layer as gradients are made: the peak is at one end, all of it and the output matrix's
    gradient, or all gradients.
    """
    first = GRADIENT_BYTES * shape.vocabulary * shape.hidden
    return max(0.0, held + first - GRADIENT_BYTES * weights) / held if held else 0.0


def peak_resident_bytes() -> int:
    """The most that this process has held. Not ru_maxrss where there is better: a child inherits that of whoever started it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def available_bytes() -> int:
    """Memory that this machine can still give: what is free, or what its control group has left where that is less."""
    import psutil

    available, group = int(psutil.virtual_memory().available), Path("/sys/fs/cgroup")
    try:
        limit, used = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
    except OSError:
        return available
    return max(0, min(available, int(limit) - int(used))) if limit.isdigit() else available
