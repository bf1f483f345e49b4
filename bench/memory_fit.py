"""Whether preflight's memory is what a training takes: real trainings, each in the product's own child, beside the estimate.

Run: python -m bench.memory_fit; with --calibrate the constants are made anew first, and presets/memory.yaml is written; with
--refit the process's constants alone are fitted again, to the peaks of the last result, and nothing is trained. What is kept is
counted with torch's profiler (bench/memory_count.py), and the process around it is fitted to the trainings here that are not held
out. Peaks are the child's resident memory (VmHWM). Models are made on the spot with random weights, but for SmolLM2-135M.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.memory_child import Trained, trained
from bench.memory_constants import fit_process, write_constants
from bench.memory_count import fitted
from bench.memory_settings import MOST_OVER, MOST_UNDER, SETTINGS, Setting, job_of, planned
from bench.report import RESULTS, write


def main() -> None:
    """Train every setting, and report; with --calibrate the constants are made anew from the same trainings."""
    anew = "--calibrate" in sys.argv
    if anew:
        counted, off = fitted()
        print(f"counted; the fit is off by at most {off}", file=sys.stderr)
        write_constants(counted=counted)
    again = "--refit" in sys.argv
    with tempfile.TemporaryDirectory(prefix="bench-memory-") as work:
        begin = measured_before if again else trained
        runs = [begin(setting, Path(work) / f"setting-{n}", Path(work) / "models") for n, setting in enumerate(SETTINGS)]
        if anew or again:
            write_constants(**fit_process([run for run in runs if not run.setting.held_out]))
        rows = [_row(run) for run in runs]
    found = {name: _summary([row for row in rows if row["held_out"] is held_out]) for name, held_out in _GROUPS.items()}
    goal: dict[str, dict[str, float]] = {"settings": {"at_least": 20}}
    for name in found:
        goal |= {f"{name}.most_over": {"at_most": MOST_OVER}, f"{name}.most_under": {"at_most": MOST_UNDER}}
    write("memory_fit", {"settings": len(rows), **found, "rows": rows}, {}, goal, ("torch", "transformers", "peft"))


def measured_before(setting: Setting, folder: Path, models: Path) -> Trained:
    """The training of the last result, without doing it again."""
    rows = json.loads((RESULTS / "memory_fit.json").read_text())["measured"]["rows"]
    row = next(row for row in rows if row["setting"] == setting.name)
    return Trained(setting, job_of(setting, folder, models), row["measured_mb"] * 2**20, None, row["seconds"])


_GROUPS = {"fitted_on": False, "held_out": True}


def _row(run: Trained) -> dict[str, Any]:
    """The estimate of the plan, and what the child took at its peak."""
    plan = planned(run.job)
    estimated = plan.memory_bytes["total"]
    row = {
        "setting": run.setting.name, "held_out": run.setting.held_out, "tokens": plan.tokens,
        "estimated_mb": round(estimated / 2**20), "measured_mb": round(run.peak_bytes / 2**20),
        "off": round(estimated / run.peak_bytes - 1, 4), "seconds": run.seconds,
    }  # fmt: skip
    print(
        f"{row['setting']:75s} {row['estimated_mb']:6,} {row['measured_mb']:6,} MB {row['off']:+7.1%}",
        file=sys.stderr,
        flush=True,
    )
    return row


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    off = [row["off"] for row in rows]
    return {"settings": len(rows), "most_over": max(0.0, *off), "most_under": max(0.0, *(-one for one in off))}


if __name__ == "__main__":
    main()
