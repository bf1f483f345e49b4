"""The quickstart's own figures: base, baselines and tuned on held-out rows with 95 % intervals, and how long all of it took.

Run: python -m bench.quickstart [SAMPLE …]. Each sample starts in an empty home; what was fetched before is kept.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.report import RESULTS, write

SAMPLES = ("movie-reviews", "us-addresses")
PACKAGES = ("torch", "transformers", "peft", "scikit-learn", "xllamacpp", "llama-cpp-python")


def main() -> None:
    """Measure the samples that are named, or all; figures of the others are kept from the last result."""
    before = RESULTS / "quickstart.json"
    measured: dict[str, Any] = json.loads(before.read_text())["measured"] if before.exists() else {}
    for sample in sys.argv[1:] or SAMPLES:
        measured[sample] = quickstart(sample)
    goal: dict[str, dict[str, float]] = {}
    for sample in measured:
        goal[f"{sample}.lead_over_every_other"] = {"above": 0.0}
        goal[f"{sample}.gap_between_the_intervals_of_tuned_and_base"] = {"above": 0.0}
    if "movie-reviews" in measured:
        goal["movie-reviews.rows"] = {"at_least": 400}
        goal["movie-reviews.seconds"] = {"at_most": 360}
    peers = {
        sample: {name: one for name, one in found["systems"].items() if name != "tuned"} for sample, found in measured.items()
    }
    write("quickstart", measured, peers, goal, PACKAGES)


def quickstart(sample: str) -> dict[str, Any]:
    """One run through all stages, as a person would type it."""
    with tempfile.TemporaryDirectory(prefix="brewslm-bench-") as home:
        command = [str(Path(sys.executable).parent / "brewslm"), "quickstart", "--sample", sample, "--json"]
        done = subprocess.run(command, env=os.environ | {"BREWSLM_HOME": home}, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"{sample} did not come to its end: {done.stdout.decode()}")
    made = json.loads(done.stdout)
    card = made["scorecard"]
    metric = card["primary_metric"]
    systems = {name: system["metrics"][metric] for name, system in card["systems"].items()}
    tuned, base = systems["tuned"], systems["base"]
    return {
        "metric": metric,
        "rows": card["n"],
        "systems": systems,
        "lead_over_every_other": tuned["value"] - max(one["value"] for name, one in systems.items() if name != "tuned"),
        "gap_between_the_intervals_of_tuned_and_base": tuned["low"] - base["high"],
        "seconds": made["seconds"],
        "stages": made["stages"],
        "answers": made["answers"],
    }


if __name__ == "__main__":
    main()
