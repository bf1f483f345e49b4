"""Whether preflight's memory is what a training takes: real trainings, each in the product's own child, beside the estimate.

Run: python -m bench.memory_fit
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.memory_settings import SETTINGS, Setting, job_of


def measured(setting: Setting, work: Path) -> dict[str, Any]:
    """The estimate of the plan, and what the child took at its peak."""
    from bench.memory_child import run_here

    job = job_of(setting, work / f"setting-{SETTINGS.index(setting)}", work / "models")
    began = time.monotonic()
    result = run_here(job, work / f"setting-{SETTINGS.index(setting)}", setting.precision)
    return {"setting": setting.name, **result, "seconds": round(time.monotonic() - began, 1)}


def main() -> None:
    """Measure all."""
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as work:
        for setting in SETTINGS:
            found = measured(setting, Path(work))
            print(found, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
