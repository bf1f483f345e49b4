"""Intervals against published and reference figures."""

import numpy as np
import pytest

from brewslm.metrics.intervals import better_by_chance, bootstrap, paired_share_difference, paired_test, wilson

STATSMODELS_WILSON = {
    (5, 7, 0.9): (0.4086675455, 0.9004341564), (33, 40, 0.95): (0.6805000967, 0.9125458625),
    (6, 300, 0.99): (0.0073216112, 0.0534506519), (808, 1000, 0.8): (0.7915378898, 0.8234520664),
    (15, 33, 0.95): (0.2984293851, 0.6201406146),
}  # fmt: skip
"""proportion_confint of statsmodels 0.15.0: (successes, n, confidence) → interval."""
STATSMODELS_MCNEMAR = {(9, 1): 0.021484375, (14, 6): 0.11531829833984375, (3, 0): 0.25, (50, 31): 0.04482852238579864}


def test_wilson_matches_newcombes_published_figures():
    # Newcombe 1998, Table I, method 3: 81/263, 15/148, 0/20, 1/29
    published = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0, 0.1611), (1, 29): (0.0061, 0.1718)}
    for (successes, n), (low, high) in published.items():
        assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_statsmodels_at_any_confidence():
    for (successes, n, confidence), interval in STATSMODELS_WILSON.items():
        assert wilson(successes, n, confidence) == pytest.approx(interval, abs=1e-9)
    low, high = wilson(30, 50, 0.0)  # of no confidence at all: the share itself
    assert low == pytest.approx(high) == pytest.approx(0.6)


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


def test_mcnemars_exact_test_is_statsmodels_and_its_one_side_half_of_it():
    for (wins, losses), p_value in STATSMODELS_MCNEMAR.items():
        found = paired_test([True] * wins + [False] * losses, [False] * wins + [True] * losses)
        assert found["p_value"] == pytest.approx(p_value)
        assert better_by_chance(wins, losses) == pytest.approx(p_value / 2)
    assert better_by_chance(0, 0) == 1.0 and better_by_chance(1, 9) > 0.99


def test_a_win_and_a_loss_are_added_before_the_interval_is_taken():
    low, high = paired_share_difference(11, 3, 40)
    centre, won, lost = 8 / 42, 12 / 42, 4 / 42
    half = 1.959964 * np.sqrt((won + lost - (won - lost) ** 2) / 42)
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert paired_share_difference(0, 0, 0) == (-1.0, 1.0)
    low, high = paired_share_difference(0, 0, 300, 0.9)
    assert low == -high and 0.005 < high < 0.01  # never apart in 300 rows: yet not surely the same


def test_the_interval_of_a_paired_difference_holds_as_often_as_it_says():
    chance, held, draws = np.random.default_rng(3), 0, 3000
    outcomes = chance.multinomial(120, [0.12, 0.05, 0.83], draws)  # won, lost, the same: 7 points apart in truth
    for wins, losses, _ in outcomes.tolist():
        low, high = paired_share_difference(wins, losses, 120, 0.9)
        held += low <= 0.07 <= high
    assert 0.88 <= held / draws <= 0.93
