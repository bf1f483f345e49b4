"""Quantiles in bounded space, held against numpy's of all values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.metrics.sketch import ACCURACY, Sketch

SHARES = (0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
RANDOM = {
    "lognormal": lambda random: random.lognormal(-2, 1.5, 20_000),
    "uniform": lambda random: random.uniform(0.001, 3, 5_000),
    "two humps": lambda random: np.concatenate([random.normal(0.05, 0.005, 9_000), random.normal(8, 0.5, 1_000)]),
    "heavy tail": lambda random: random.pareto(1.1, 10_000) + 0.01,
}


def sketched(values):
    made = Sketch()
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize("name", RANDOM)
def test_each_quantile_is_within_one_percent_of_numpys(name):
    values = RANDOM[name](np.random.default_rng(7))
    made = sketched(values)
    assert made.n == len(values)
    for share in SHARES:
        true = np.quantile(values, share, method="lower")
        assert abs(made.quantile(share) - true) <= ACCURACY * true * (1 + 1e-9), (name, share)


@given(st.lists(st.floats(1e-6, 1e7), min_size=1, max_size=200), st.floats(0, 1))
def test_whatever_was_counted(values, share):
    true = np.quantile(values, share, method="lower")
    assert abs(sketched(values).quantile(share) - true) <= ACCURACY * true * (1 + 1e-9)


@given(st.lists(st.floats(1e-6, 1e7)), st.lists(st.floats(1e-6, 1e7)))
def test_two_sketches_add_up_and_come_back_from_json(one, other):
    both = sketched(one)
    both.merge(sketched(other))
    assert both == sketched([*one, *other]) == Sketch.load(both.dump())


def test_it_is_bounded_and_of_nothing_there_is_no_quantile():
    made = sketched(np.random.default_rng(1).lognormal(0, 20, 50_000))
    assert len(made.counts) < 1_500
    assert Sketch().quantile(0.5) is None
