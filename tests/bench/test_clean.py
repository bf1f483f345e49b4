"""docs/cleaning.md quotes what was measured."""

import json

from bench.report import RESULTS


def test_the_document_quotes_the_result():
    measured = json.loads((RESULTS / "clean.json").read_text())["measured"]
    document = (RESULTS.parent.parent / "docs" / "cleaning.md").read_text().split("## Speed")[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in document.splitlines() if line.startswith("| ")]
    said = {cells[0]: cells[1:] for cells in rows[1:]}
    assert set(said) == set(measured["mb_per_second"])
    for step, (rate, times) in said.items():
        assert rate == f"{measured['mb_per_second'][step]['median']:.1f}"
        peer = measured["times_datatrove"].get(step)
        assert times == (f"{peer['median']:.1f} times" if peer else "–")
    large = measured["large"]
    assert f"{large['peak_mb_at_a_quarter']:.0f} MB after a quarter and {large['peak_mb']:.0f} MB at the end" in document
