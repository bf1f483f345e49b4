"""The rule of the drift check keeps its two promises: it rarely cries wolf, over 90 looks too, and it sees what got worse.

Greedy answers of an unchanged model are the same but for near-ties, which fall to either side with the batch that they happen to
be in. A simulated version so has rows that are sure and rows that are a coin of their own; its reference is one throw, and each
look another. The coins come from a seed, which is told where a promise is broken.
"""

import numpy as np
import pytest

from brewslm.metrics.drift import DEFAULT, Rule, compare
from brewslm.metrics.figure import Figure, mean, of_sums, ratio, share

SEED, VERSIONS, ROWS, LOOKS = 20260801, 1000, 200, 90
NOISES = [0.01, 0.05, 0.4]
"""Share of rows that are near-ties: a quantised classifier's, a generating model's, and far worse than either."""


def versions(near_ties, rng, count=VERSIONS, rows=ROWS):
    """Each row's probability to be answered rightly: (versions, rows)."""
    sure = (rng.random((count, rows)) < 0.85).astype(float)
    return np.where(rng.random((count, rows)) < near_ties, rng.random((count, rows)), sure)


def thrown(chance, rng):
    return rng.random(chance.shape) < chance


def worsened(chance, rng, broken):
    """The same versions, with so many of the rows that they could answer answered wrongly from now on."""
    order = np.argsort(rng.random(chance.shape) - 2 * (chance > 0.5), axis=1)
    worse = chance.copy()
    np.put_along_axis(worse, order[:, :broken], 0.0, axis=1)
    return worse


def alarms(reference, chance, rng, rule, looks):
    """Per version and look, whether the rule's test says drift: (versions, looks)."""
    counts = []
    for _ in range(looks):
        now = thrown(chance, rng)
        counts.append(((reference & ~now).sum(axis=1), (~reference & now).sum(axis=1)))
    every, which = np.unique(np.array(counts).transpose(2, 0, 1).reshape(-1, 2), axis=0, return_inverse=True)
    told = [rule.p_value(worse, better, ROWS) <= rule.alpha for worse, better in every.tolist()]
    return np.array(told)[which].reshape(len(chance), looks)


@pytest.mark.parametrize("near_ties", NOISES)
def test_of_1000_checks_of_versions_that_did_not_change_at_most_one_in_a_hundred_says_drift(near_ties):
    rng = np.random.default_rng(SEED)
    chance = versions(near_ties, rng)
    pairs = zip(thrown(chance, rng), thrown(chance, rng), strict=True)
    found = [compare(share(before), share(now), before, now) for before, now in pairs]
    assert any(one.worse and one.better for one in found), "there was no noise"
    assert sum(one.drifted for one in found) <= VERSIONS / 100, f"seed {SEED}"


@pytest.mark.parametrize("tolerance", [0.01, 0.0])
@pytest.mark.parametrize("near_ties", NOISES)
def test_over_90_looks_at_most_one_version_in_twenty_is_ever_called_drifted(near_ties, tolerance):
    rng = np.random.default_rng(SEED)
    chance = versions(near_ties, rng)
    reference = thrown(chance, rng)
    told = alarms(reference, chance, rng, Rule(tolerance=tolerance), LOOKS)
    assert told.any(axis=1).mean() <= 0.05, f"seed {SEED}"


def test_a_version_that_lost_just_the_tolerance_is_not_called_drifted_more_often():
    rng = np.random.default_rng(SEED)
    chance = versions(0.05, rng)
    told = alarms(thrown(chance, rng), worsened(chance, rng, DEFAULT.forgiven(ROWS)), rng, DEFAULT, LOOKS)
    assert told.any(axis=1).mean() <= 0.05, f"seed {SEED}"


def test_a_rule_that_does_not_count_its_looks_would_break_the_promise():
    """So the simulation can tell."""
    rng = np.random.default_rng(SEED)
    chance = versions(0.4, rng)
    told = alarms(thrown(chance, rng), chance, rng, Rule(tolerance=0.0, looks=1), LOOKS)
    assert told.any(axis=1).mean() > 0.2


@pytest.mark.parametrize(("near_ties", "looks"), [(0.01, 1), (0.05, 5)])
def test_a_version_that_lost_10_points_on_200_rows_is_caught_within_a_few_looks(near_ties, looks):
    rng = np.random.default_rng(SEED)
    chance = versions(near_ties, rng)
    told = alarms(thrown(chance, rng), worsened(chance, rng, ROWS // 10), rng, DEFAULT, looks)
    assert told.any(axis=1).mean() >= 0.95, f"seed {SEED}"


def test_what_a_check_finds_is_told_in_the_figures_own_unit():
    before = [True] * 90 + [False] * 10
    now = [False] * 20 + [True] * 71 + [False] * 9
    found = compare(share(before), share(now), before, now)
    assert (found.n, found.before, found.value, found.worse, found.better) == (100, 0.9, 0.71, 20, 1)
    assert found.fall == pytest.approx(0.19) and found.fall_low < 0.19 < found.fall_high and found.low < 0.71 < found.high
    assert found.p_value == pytest.approx(21 / 2**20) and found.drifted  # one is forgiven: of 20 fair coins, 19 or all
    assert not compare(share(now), share(before), now, before).drifted, "an improvement is no drift"


def test_the_fewest_rows_that_say_drift():
    for n, fewest in ((11, 11), (24, 11), (200, 13), (500, 16), (2000, 31)):
        assert DEFAULT.told_at(n) == fewest
        for lost in (fewest - 1, fewest):
            before, now = [True] * n, [place >= lost for place in range(n)]
            assert compare(share(before), share(now), before, now).drifted == (lost == fewest)
    assert DEFAULT.told_at(10) is None


def test_a_lower_figure_is_no_fall_where_lower_is_better():
    """A word error rate: wrong words by words of each row."""
    words, many, few = [10] * 40, [5] * 40, [1] * 40
    wrong = [False] * 40
    assert compare(ratio(few, words), ratio(many, words), wrong, wrong, lower_is_better=True).drifted
    assert not compare(ratio(many, words), ratio(few, words), wrong, wrong, lower_is_better=True).drifted


def test_many_rows_that_are_each_a_hair_worse_are_within_the_tolerance():
    """As after another build of a runtime that says everything in slightly other words."""
    before, now = [0.8] * 300, [0.799] * 300
    found = compare(mean(before), mean(now), [False] * 300, [False] * 300)
    assert found.worse == 300 and found.p_value < 1e-9 and not found.drifted
    assert compare(mean(before), mean([0.78] * 300), [False] * 300, [False] * 300).drifted


def test_where_a_rows_own_figure_can_not_tell_its_being_right_does():
    """A row with nothing to find: its share of finds is 0 of 0 when it is right, and 0 of 1 when it is not."""
    right, wrong = [True] * 50, [False] * 50
    nothing = ratio([0] * 50 + [9] * 50, [0] * 50 + [9] * 50)
    found_some = ratio([0] * 50 + [9] * 50, [1] * 50 + [9] * 50)
    found = compare(nothing, found_some, right + right, wrong + right)
    assert found.worse == 50 and found.drifted


def test_rows_that_a_metric_is_not_about_are_not_counted():
    every = of_sums(np.array([[1.0, 1.0]] * 30), lambda sums: sums[..., 0] / np.maximum(sums[..., 1], 1))
    few = Figure(every.counts, every.worth, np.arange(30) < 10)
    assert compare(few, few, [True] * 30, [True] * 30).n == 10
