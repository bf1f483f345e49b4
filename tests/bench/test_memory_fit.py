"""docs/preflight.md quotes what was measured."""

import json

from bench.report import RESULTS


def test_the_document_quotes_the_result():
    measured = json.loads((RESULTS / "memory_fit.json").read_text())["measured"]
    document = (RESULTS.parent.parent / "docs" / "preflight.md").read_text()
    assert f"{measured['settings']} trainings" in document
    for group in ("fitted_on", "held_out"):
        found = measured[group]
        assert f"{found['settings']}" in document
        assert f"{100 * found['most_under']:.1f} % under to {100 * found['most_over']:.1f} % over" in document
