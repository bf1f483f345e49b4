"""Intervals against published and reference figures."""

import numpy as np
import pytest

from brewslm.metrics.intervals import bootstrap, paired_test, wilson


def test_wilson_matches_newcombes_published_figures():
    # Newcombe 1998, Table I, method 3: 81/263, 15/148, 0/20, 1/29
    published = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0, 0.1611), (1, 29): (0.0061, 0.1718)}
    for (successes, n), (low, high) in published.items():
        assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_of_no_rows_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_bootstrap_is_repeatable_and_near_the_normal_interval_of_a_mean():
    values = np.random.default_rng(1).normal(0.5, 0.1, 400)
    first = bootstrap(np.mean, values, vectorized=True)
    assert first == bootstrap(np.mean, values, vectorized=True)
    half = 1.96 * values.std(ddof=1) / 20
    assert first == pytest.approx((values.mean() - half, values.mean() + half), abs=2e-3)


def test_rows_are_resampled_together():
    same = list("abab" * 20)
    assert bootstrap(lambda a, b: float(np.mean(a == b)), same, same) == (1.0, 1.0)


def test_one_row_can_not_be_resampled():
    assert bootstrap(np.mean, [0.25], vectorized=True) == (0.25, 0.25)


def test_the_paired_test_counts_only_rows_where_the_two_differ():
    found = paired_test([True] * 9 + [False] + [True] * 50, [False] * 9 + [True] + [True] * 50)
    assert (found["wins"], found["losses"]) == (9, 1)
    assert found["p_value"] == pytest.approx(22 / 1024)  # two-sided: 2 * (1 + 10) / 2**10
    assert paired_test([True], [True])["p_value"] == 1.0
