"""How spans are counted, and that docs/pii.md quotes the result."""

import json

from bench.pii import figures, overlap
from bench.report import RESULTS

TEXTS = [{"text": "x" * 40, "spans": [["card", 0, 10], ["ip", 20, 30]]}]


def test_a_span_counts_when_type_and_place_agree():
    assert overlap(["card", 0, 10], ["card", 0, 8]) == 0.8 and overlap(["card", 0, 10], ["card", 10, 20]) == 0
    found = figures(TEXTS, [[["card", 0, 8], ["card", 20, 30]]], ("card", "ip"))
    card, ip = found["types"]["card"], found["types"]["ip"]
    assert (card["hit"], card["found"], card["recall"], card["precision"], card["strict_recall"]) == (1, 2, 1.0, 0.5, 0.0)
    assert (ip["hit"], ip["spans"], ip["recall"]) == (0, 1, 0.0)
    assert found["micro"]["recall"] == 0.5 and found["types_at_goal"] == 0


def test_one_finding_is_not_counted_for_two_spans():
    texts = [{"text": "x" * 20, "spans": [["ip", 0, 10], ["ip", 0, 10]]}]
    assert figures(texts, [[["ip", 0, 10]]], ("ip",))["types"]["ip"]["hit"] == 1


def test_the_document_quotes_the_result():
    result = json.loads((RESULTS / "pii.json").read_text())
    document = (RESULTS.parent.parent / "docs" / "pii.md").read_text()
    theirs = result["peers"]["presidio"]["held_out"]["types"]
    for kind, one in result["measured"]["held_out"]["types"].items():
        peer = theirs.get(kind)
        quoted = f"{peer['recall']:.3f} / {peer['precision']:.3f}" if peer else "–"
        assert f"| `{kind}` | {one['spans']:,} | {one['recall']:.3f} / {one['precision']:.3f} | {quoted} |" in document
