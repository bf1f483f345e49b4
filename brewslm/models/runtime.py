"""The runtime profile: which device, how much memory, how many threads, which precision."""

import os
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from brewslm.models.loading import bf16_is_fast
from brewslm.models.memory import available_bytes
from brewslm.presets import load
from brewslm.settings import settings


class RuntimePreset(BaseModel):
    """A file of presets/runtimes.

    Attributes:
        memory_share: How much of the available memory a run may plan to use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    device: Literal["cpu", "cuda"]
    memory_share: float = Field(0.9, gt=0, le=1)


class RuntimeProfile(BaseModel):
    """What was found on this machine."""

    model_config = ConfigDict(frozen=True)

    id: str
    device: str
    memory_bytes: int
    threads: int
    precision: Literal["fp32", "bf16 autocast"]


def runtime_profile(name: str | None = None) -> RuntimeProfile:
    """The named profile, or the one that fits this machine.

    Raises:
        StageError(InvalidRequest): No preset has this name.
    """
    import torch

    cuda = torch.cuda.is_available()
    preset = load("runtimes", name or ("cuda" if cuda else "cpu"), RuntimePreset)
    memory = available_bytes() if preset.device == "cpu" else _cuda_bytes()
    return RuntimeProfile(
        id=preset.id, device=preset.device, memory_bytes=int(memory * preset.memory_share),
        threads=settings().threads or os.cpu_count() or 1,
        precision="bf16 autocast" if preset.device == "cuda" or bf16_is_fast() else "fp32",
    )  # fmt: skip


def _cuda_bytes() -> int:
    """Free memory of the GPU; 0 where there is none. (Not run here: the machines that built this have no GPU.)"""
    import torch

    return int(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else 0
