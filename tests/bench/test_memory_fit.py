"""docs/preflight.md quotes what was measured."""

import json
from typing import Any

from bench.report import RESULTS

ROWS: list[dict[str, Any]] = json.loads((RESULTS / "memory_fit.json").read_text())["measured"]["rows"]
METHODS = {"LoRA": "lora", "DoRA": "dora", "every weight": "full"}


def method_of(row: dict[str, Any]) -> str:
    return next((name for name in ("dora", "full") if f"method={name}" in row["setting"]), "lora")


def test_the_document_quotes_the_result():
    document = (RESULTS.parent.parent / "docs" / "preflight.md").read_text().splitlines()
    for name, method in METHODS.items():
        cells = []
        for held_out in (False, True):
            off = [row["off"] for row in ROWS if method_of(row) == method and row["held_out"] is held_out]
            cells += [str(len(off)), f"{max(0, -min(off)) * 100:.1f} %", f"{max(0, max(off)) * 100:.1f} %"]
        assert f"| {name} | {' | '.join(cells)} |" in document


def test_every_setting_of_the_fit_keeps_to_the_bounds():
    fitted = [row["off"] for row in ROWS if not row["held_out"]]
    assert len(fitted) >= 20
    assert all(-0.05 <= off <= 0.15 for off in fitted)


def test_the_document_names_each_held_out_setting_that_misses_them():
    document = (RESULTS.parent.parent / "docs" / "preflight.md").read_text()
    missed = [row["off"] for row in ROWS if row["held_out"] and not -0.05 <= row["off"] <= 0.15]
    assert len(missed) == 3 and all(f"{abs(off) * 100:.1f} %" in document for off in missed)
