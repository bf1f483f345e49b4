"""docs/training.md quotes what was measured."""

import json

from bench.report import RESULTS


def test_the_document_quotes_the_result():
    found = json.loads((RESULTS / "train_throughput.json").read_text())
    document = (RESULTS.parent.parent / "docs" / "training.md").read_text().split("## Speed")[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in document.splitlines() if line.startswith("| ")]
    said = {cells[0]: cells[1:] for cells in rows[1:]}
    for workload in ("us-addresses", "movie-reviews"):
        ours = found["measured"][workload]
        systems = {"BrewSLM": ours, "without shared prefix": ours["without_shared_prefix"]}
        systems |= {"Trainer": found["peers"]["hf_trainer"][workload], "TRL": found["peers"]["trl"][workload]}
        for name, figures in systems.items():
            speed, peak, loss = said[f"{workload}, {name}"]
            assert speed == f"{figures['tokens_per_second']['median']:.0f}"
            assert peak == f"{figures['peak_mb']['median'] / 1024:.1f} GB"
            assert loss == f"{figures['dev_loss']:.3f}"
