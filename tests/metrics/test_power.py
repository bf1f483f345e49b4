"""What rows can tell, against statsmodels, SciPy's simulation and draws."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from brewslm.metrics import power
from brewslm.metrics.intervals import wilson

STATSMODELS_POWER = {
    (0.2, 50, 0.05): 0.4087972198, (0.1, 300, 0.025): 0.4098568693,
    (0.05, 1000, 0.1): 0.6177540002, (0.3, 20, 0.01): 0.1623839852,
}  # fmt: skip
"""NormalIndPower().power of statsmodels 0.15.0, one sample, larger: (effect in standard deviations, n, alpha) → power."""
STATSMODELS_EFFECT = {(0.8, 300, 0.05): 0.14355674, (0.9, 100, 0.025): 0.32415197, (0.5, 40, 0.1): 0.2026323}
"""Its solve_power: (power, n, alpha) → effect."""


def test_the_power_of_a_normal_estimate_is_statsmodels():
    for (effect, n, alpha), expected in STATSMODELS_POWER.items():
        assert power.normal_power(effect, 1 / np.sqrt(n), 1 - alpha) == pytest.approx(expected)
    for (wanted, n, alpha), effect in STATSMODELS_EFFECT.items():
        assert power.detectable(1 / np.sqrt(n), 1 - alpha, wanted) == pytest.approx(effect, rel=1e-5)


@pytest.mark.parametrize(("n", "threshold", "truth"), [(60, 0.5, 0.6), (300, 0.8, 0.84), (120, 0.9, 0.9)])
def test_the_power_of_a_share_is_that_of_scipys_simulation(n, threshold, truth):
    clears = np.array([wilson(right, n, 0.9)[0] >= threshold for right in range(n + 1)])

    def passes(right, axis=-1):
        return np.where(clears[right.sum(axis=axis)], 0.0, 1.0)

    chance = np.random.default_rng(1)
    simulated = stats.power(
        passes, lambda size: chance.random(size) < truth, n, significance=0.5, n_resamples=4000, vectorized=True
    )
    assert power.share_power(n, threshold, truth) == pytest.approx(float(simulated.power), abs=0.025)


@pytest.mark.parametrize(("n", "disagreeing"), [(300, 0.08), (100, 0.2), (1000, 0.3)])
def test_the_smallest_paired_difference_is_found_as_often_as_it_says(n, disagreeing):
    gap = power.detectable_paired(n, disagreeing)
    chance = np.random.default_rng(2)
    won, lost = (disagreeing + gap) / 2, (disagreeing - gap) / 2
    outcomes = chance.multinomial(n, [won, lost, 1 - disagreeing], 20000)
    found = (outcomes[:, 0] - outcomes[:, 1]) / np.sqrt(np.maximum(1, outcomes[:, 0] + outcomes[:, 1])) > stats.norm.ppf(0.95)
    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_three_hundred_rows_can_tell_four_points_apart():
    assert power.detectable_paired(300, 0.08) == pytest.approx(0.04, abs=0.002)  # of systems that disagree on 8 % of rows
    assert power.detectable_share(300, 0.9) == pytest.approx(0.04, abs=0.005)


def test_too_few_rows_can_tell_nothing():
    assert power.detectable_share(2, 0.9) is None
    assert power.detectable_paired(5, 0.1) == 0.1 and power.detectable_paired(5, 0.0) == 0.0
    assert power.share_power(2, 0.9, 1.0) == 0.0


@pytest.mark.parametrize("n", [100, 300, 1000])
def test_the_table_of_the_docs_is_what_the_code_says(n):
    said = [power.detectable_share(n, threshold) for threshold in (0.5, 0.7, 0.8, 0.9)] + [power.detectable_paired(n, 0.1)]
    line = f"| {n:,} | " + " | ".join(f"{100 * one:.1f}" for one in said) + " |"
    assert line in (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text().splitlines()
