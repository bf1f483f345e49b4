"""Committed bench results say what their figures say."""

import json

import pytest

from bench.report import RESULTS, met

FILES = sorted(RESULTS.glob("*.json"))


def test_there_are_results():
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_met_follows_from_the_figures_and_the_goal(path):
    result = json.loads(path.read_text())
    assert {"bench", "date", "machine", "versions", "measured", "peers", "goal", "met"} == set(result)
    assert result["bench"] == path.stem
    assert result["met"] == met(result["measured"], result["goal"])


def test_a_goal_that_is_missed_is_not_met():
    measured = {"a": {"b": 2.0}}
    assert met(measured, {"a.b": {"at_least": 2, "at_most": 2}})
    assert not met(measured, {"a.b": {"above": 2}})
    assert not met(measured, {"a.b": {"at_most": 1.9}})
