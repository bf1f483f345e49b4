"""What this machine must have: packages, and memory."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from brewslm.stages.preflight.finding import Finding
from brewslm.stages.preflight.plan import TrainPlan

NEEDED = ("torch", "transformers", "peft", "accelerate", "safetensors")


def check_dependencies() -> Iterator[Finding]:
    """Every package that training imports."""
    for name in NEEDED:
        try:
            version(name)
        except PackageNotFoundError:
            yield Finding(
                code="dependency_missing", severity="blocker", measured=f"{name} is not installed", limit=", ".join(NEEDED),
                next_step="Run make setup.", fatal=True,
            )  # fmt: skip


def check_memory(plan: TrainPlan) -> Iterator[Finding]:
    """The estimated peak, held against what may be used."""
    if plan.memory_bytes["total"] > plan.runtime.memory_bytes:
        yield Finding(
            code="memory_does_not_fit", severity="blocker", measured=f"{plan.memory_bytes['total'] / 2**30:.1f} GB needed",
            limit=f"{plan.runtime.memory_bytes / 2**30:.1f} GB to use",
            next_step="Lower --set pack_tokens=… or max_length, or free memory.",
        )  # fmt: skip
