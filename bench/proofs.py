"""The heavier proofs, which `make test` leaves out: what each came to, and when.

Run: python -m bench.proofs [PATH …] (about half an hour on two cores; needs Debian's chromium, espeak-ng and postgresql).
What was proven before stays where only some paths are named. There is no peer. Seconds tell how long a proof takes, no more.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bench.report import RESULTS, write

PACKAGES = ("torch", "transformers", "pytest", "playwright")
TESTS = Path(__file__).parents[1] / "tests"
GOAL: dict[str, dict[str, float]] = {"failed": {"at_most": 0}, "skipped": {"at_most": 0}, "passed": {"above": 0}}


def main() -> None:
    """Run them, and keep what they came to."""
    named = sys.argv[1:]
    before = RESULTS / "proofs.json"
    kept: dict[str, Any] = json.loads(before.read_text())["measured"]["proofs"] if named and before.exists() else {}
    with tempfile.TemporaryDirectory(prefix="brewslm-bench-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal", "-m", "slow", f"--junitxml={report}"]
        subprocess.run([*command, *(named or [str(TESTS)])], check=False)
        proofs = dict(sorted((kept | told(report)).items()))
    counts = Counter(proof["outcome"] for proof in proofs.values())
    write("proofs", {**{each: counts[each] for each in ("passed", "failed", "skipped")}, "proofs": proofs}, {}, GOAL, PACKAGES)


def told(report: Path) -> dict[str, dict[str, Any]]:
    """Test → its outcome and seconds, from a JUnit file."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        ends = {child.tag for child in case}
        outcome = "failed" if ends & {"failure", "error"} else "skipped" if "skipped" in ends else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = {"outcome": outcome, "seconds": round(float(case.get("time", 0)))}
    return found


if __name__ == "__main__":
    main()
