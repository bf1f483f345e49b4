"""Whether preflight's memory is what a training takes: real trainings, each in the product's own child, beside the estimate.

Run: python -m bench.memory_fit; with --calibrate the constants are made anew first, and presets/memory.yaml is written: what is
kept is counted with torch's profiler (bench/memory_count.py), and the process around it is fitted to the trainings here that are
not held out. Peaks are the child's ru_maxrss. Models are made on the spot with random weights, but for SmolLM2-135M.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.memory_child import run_here
from bench.memory_settings import MOST_OVER, MOST_UNDER, SETTINGS, Setting, job_of, planned
from bench.report import write


def main() -> None:
    """Measure every setting, and report."""
    if "--calibrate" in sys.argv:
        calibrate()
        done = subprocess.run([sys.executable, "-m", "bench.memory_fit"], check=False)  # the constants are read once
        sys.exit(done.returncode)
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as work:
        rows = [measured(setting, Path(work)) for setting in SETTINGS]
    found = {name: _summary([row for row in rows if row["held_out"] is held_out]) for name, held_out in _GROUPS.items()}
    goal: dict[str, dict[str, float]] = {}
    for name in found:
        goal[f"{name}.most_over"] = {"at_most": MOST_OVER}
        goal[f"{name}.most_under"] = {"at_most": MOST_UNDER}
    goal["settings"] = {"at_least": 20}
    write("memory_fit", {"settings": len(rows), **found, "rows": rows}, {}, goal, ("torch", "transformers", "peft"))


_GROUPS = {"fitted_on": False, "held_out": True}


def measured(setting: Setting, work: Path) -> dict[str, Any]:
    """The estimate of the plan, and what the child took at its peak."""
    began = time.monotonic()
    folder = work / f"setting-{SETTINGS.index(setting)}"
    job = job_of(setting, folder, work / "models")
    plan = planned(job)
    ended = run_here(job, folder)
    peak, estimated = ended["peak_bytes"], plan.memory_bytes["total"]
    row = {
        "setting": setting.name, "held_out": setting.held_out, "tokens": plan.tokens, "estimated_mb": round(estimated / 2**20),
        "measured_mb": round(peak / 2**20), "off": round(estimated / peak - 1, 4), "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip
    print(
        f"{setting.name:75s} {row['estimated_mb']:6,} {row['measured_mb']:6,} MB {row['off']:+7.1%}", file=sys.stderr, flush=True
    )
    return row


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    off = [row["off"] for row in rows]
    return {"settings": len(rows), "most_over": max(0.0, *off), "most_under": max(0.0, *(-one for one in off))}


def calibrate() -> None:
    """Count, fit, and write presets/memory.yaml."""
    from bench.memory_constants import fit_process, write_constants
    from bench.memory_count import fitted

    counted, off = fitted()
    print(f"counted; the fit is off by at most {off}", file=sys.stderr)
    write_constants(counted=counted)
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as work:
        write_constants(**fit_process([one for one in SETTINGS if not one.held_out], Path(work)))


if __name__ == "__main__":
    main()
