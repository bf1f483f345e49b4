"""The committed figures of introspection are those of the code."""

import json

from bench.introspect import measure, outcome
from bench.layouts import LAYOUTS
from bench.report import RESULTS


def test_the_committed_figures_are_those_of_the_code():
    committed = json.loads((RESULTS / "introspect.json").read_text())
    assert measure([outcome(layout) for layout in LAYOUTS]) == committed["measured"], "run: python -m bench.introspect"


def test_there_are_enough_layouts_each_once_and_a_third_held_out():
    names = [layout.name for layout in LAYOUTS]
    assert len(names) == len(set(names)) >= 60
    assert sum(layout.held_out for layout in LAYOUTS) >= len(LAYOUTS) / 3
    assert all(len(layout.rows()) == 20 and (layout.mapper is None) == (layout.field_map is None) for layout in LAYOUTS)
