"""The runtime profile: which device, how much memory, how many threads, which precision."""

import os
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from brewslm.models.loading import bf16_is_fast
from brewslm.models.memory import available_bytes
from brewslm.presets import load
from brewslm.settings import settings

Device = Literal["cpu", "cuda", "mps"]
Precision = Literal["fp32", "bf16"]


class RuntimePreset(BaseModel):
    """A file of presets/runtimes.

    Attributes:
        memory_share: How much of the available memory a run may plan to use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    device: Device
    memory_share: float = Field(0.9, gt=0, le=1)


class RuntimeProfile(BaseModel):
    """What was found on this machine."""

    model_config = ConfigDict(frozen=True)

    id: str
    device: str
    memory_bytes: int
    threads: int
    precision: Precision


def device_found() -> Device:
    """What this machine trains on: CUDA, else Apple's MPS, else the CPU. (CUDA and MPS: not run by those who built this.)"""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def precision_of(device: Device) -> Precision:
    """Products in bf16 where the device is fast at them; the weights stay fp32."""
    import torch

    fast = bf16_is_fast() if device == "cpu" else device == "cuda" and torch.cuda.is_bf16_supported()
    return "bf16" if fast else "fp32"


def runtime_profile(name: str | None = None) -> RuntimeProfile:
    """The named profile, or the one that fits this machine.

    Raises:
        StageError(InvalidRequest): No preset has this name.
    """
    preset = load("runtimes", name or device_found(), RuntimePreset)
    memory = _cuda_bytes() if preset.device == "cuda" else available_bytes()  # MPS shares the machine's memory
    return RuntimeProfile(
        id=preset.id, device=preset.device, memory_bytes=int(memory * preset.memory_share),
        threads=settings().threads or os.cpu_count() or 1,
        precision=precision_of(preset.device),
    )  # fmt: skip


def _cuda_bytes() -> int:
    """Free memory of the GPU; 0 where there is none. (Not run here: the machines that built this have no GPU.)"""
    import torch

    return int(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else 0
