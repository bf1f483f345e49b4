"""What every bench shares: the result file, and whether its goal is met."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def figure(measured: dict[str, Any], path: str) -> float:
    """The measured figure at a path such as `movie-reviews.seconds`."""
    found: Any = measured
    for part in path.split("."):
        found = found[part]
    return float(found)


def met(measured: dict[str, Any], goal: dict[str, dict[str, float]]) -> bool:
    """Whether every figure named in the goal is `at_least` or `at_most` what it says, or lies `above` it."""
    held = {"at_least": lambda a, b: a >= b, "at_most": lambda a, b: a <= b, "above": lambda a, b: a > b}
    return all(held[how](figure(measured, path), limit) for path, limits in goal.items() for how, limit in limits.items())


def write(
    bench: str, measured: dict[str, Any], peers: dict[str, Any], goal: dict[str, dict[str, float]], packages: tuple[str, ...]
) -> None:
    """Print the result and keep it in `bench/results/<bench>.json`."""
    result = {
        "bench": bench,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "measured": measured,
        "peers": peers,
        "goal": goal,
        "met": met(measured, goal),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{bench}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps(result, indent=2, ensure_ascii=False))


def machine() -> dict[str, Any]:
    """Cores, memory and what the processor multiplies fast: no name, no path."""
    import psutil
    import torch

    found = torch.backends.cpu.get_cpu_capability()
    from brewslm.models.loading import bf16_is_fast

    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "cpu": found,
        "bf16": bf16_is_fast(),
    }
