"""The committed figures of introspection are those of the code."""

import json
from collections import Counter

import pytest

from bench.introspect import figures, first_sight, measure, outcome, reliability
from bench.layouts import HELD_OUT, LAYOUTS
from bench.report import RESULTS
from brewslm.mappers import mapper_of


@pytest.fixture(scope="module")
def outcomes():
    return [outcome(layout) for layout in LAYOUTS]


def test_the_committed_figures_are_those_of_the_code(outcomes):
    committed = json.loads((RESULTS / "introspect.json").read_text())
    assert measure(outcomes) == committed["measured"], "run: python -m bench.introspect"


def test_what_was_held_out_gives_what_it_gave_at_first_sight(outcomes):
    kept = {name: value for name, value in first_sight()[HELD_OUT].items() if name != "rules"}
    found = figures([one for one in outcomes if one.layout.part == HELD_OUT])
    why = "the rules were changed since the held-out slice was first run: label a new one, and hold that out"
    assert {name: found[name] for name in kept} == kept, why


def test_a_confidence_promises_no_more_than_is_kept(outcomes):
    for found in reliability(outcomes):
        if found["from"] >= 0.8:
            assert found["right"] >= found["from"], found


def test_each_layout_stands_once_and_its_label_is_one_that_the_mapper_takes():
    parts = Counter(layout.part for layout in LAYOUTS)
    assert parts["known"] >= 60 and parts["first"] >= 60 and parts[HELD_OUT] >= 40
    assert max(Counter(layout.name for layout in LAYOUTS).values()) == 1
    for layout in LAYOUTS:
        assert (layout.mapper is None) == (layout.field_map is None)
        assert (layout.part == "known") == (layout.seen == ""), f"{layout.name}: where was it seen?"
        if layout.mapper:
            mapper_of(layout.mapper, layout.field_map).check_columns(layout.columns)


def test_the_document_quotes_the_result():
    measured = json.loads((RESULTS / "introspect.json").read_text())["measured"]
    document = (RESULTS.parent.parent / "docs" / "introspection.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in document.splitlines() if line.startswith("|")]
    said = {cells[0].split(" (")[0]: cells for cells in rows}
    for part, found in (*measured["slices"].items(), ("all", measured["all"])):
        quoted = [f"{found['top1']:.1%}", f"{found['right_when_sure']:.1%} of {found['sure_proposals']}"]
        assert [cell.replace(" %", "%") for cell in said[part][4:]] == quoted, part
        assert said[part][1] == str(found["layouts"])
    for part, found in measured["first_sight"].items():
        quoted = [f"{found['top1']:.1%}", f"{found['right_when_sure']:.1%} of {found['sure_proposals']}"]
        assert [cell.replace(" %", "%") for cell in said[part][2:4]] == quoted, part
    bins = [(cells[1], cells[2].replace(" %", "%")) for cells in rows if cells[0].startswith(("0.", "under"))]
    assert bins == [(str(each["n"]), f"{each['right']:.1%}") for each in measured["reliability"]["all"]]
