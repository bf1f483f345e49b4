"""Figures that can be had of any rows, at any confidence, and of two systems."""

import numpy as np
import pytest
from scipy import stats

from brewslm.metrics import text
from brewslm.metrics.figure import mean, ratio, share
from brewslm.metrics.intervals import RESAMPLES, SEED, wilson
from brewslm.metrics.paired import difference


@pytest.fixture
def chance():
    return np.random.default_rng(7)


def test_a_share_has_wilsons_interval_at_any_confidence(chance):
    right = (chance.random(80) < 0.7).tolist()
    assert share(right).interval(0.8) == wilson(sum(right), 80, 0.8)
    among = (chance.random(80) < 0.5).tolist()
    counted = [one for one, asked in zip(right, among, strict=True) if asked]
    found = share(right, among)
    assert (found.value, found.n) == (pytest.approx(np.mean(counted)), len(counted))
    assert found.interval() == wilson(sum(counted), len(counted))


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_a_mean_has_scipys_bootstrap_interval(chance, confidence):
    values = chance.beta(2, 3, 90)
    reference = stats.bootstrap(
        (values,), np.mean, confidence_level=confidence, n_resamples=RESAMPLES, method="percentile",
        rng=np.random.default_rng(SEED), batch=100,
    ).confidence_interval  # fmt: skip
    assert mean(values).interval(confidence) == pytest.approx(tuple(reference))


def test_rows_that_are_all_perfect_are_not_certain():
    assert mean([1.0] * 10).interval() == wilson(10, 10)
    assert ratio([2, 3, 1], [2, 3, 1]).interval()[0] < 0.5
    assert mean([0.0] * 10).interval() == wilson(0, 10)
    assert mean([0.5] * 10).interval() == (0.5, 0.5)  # and that is what they are


def test_a_part_of_the_rows_is_what_the_library_says_of_it(chance):
    import sacrebleu

    words = np.array(["the", "a", "cat", "dog", "sat", "on", "mat", "here", "to", "stay"])
    said, wanted = ([" ".join(chance.choice(words, 8)) for _ in range(40)] for _ in range(2))
    part = chance.random(40) < 0.4
    kept = [[one for one, chosen in zip(column, part, strict=True) if chosen] for column in (said, wanted)]
    assert text.bleu(wanted, said).of(part).value == pytest.approx(sacrebleu.corpus_bleu(kept[0], [kept[1]]).score / 100)
    assert text.chrf(wanted, said).of(part).value == pytest.approx(sacrebleu.corpus_chrf(kept[0], [kept[1]]).score / 100)


def test_of_no_rows_there_is_no_figure():
    nothing = share([True, False], [False, False])
    assert (nothing.n, nothing.value, nothing.interval()) == (0, 0.0, (0.0, 1.0))
    assert mean([0.3, 0.4]).of([False, False]).n == 0


def test_the_paired_bootstrap_is_scipys_of_the_rows_differences(chance):
    first, second = chance.random(70), chance.random(70)
    reference = stats.bootstrap(
        (first - second,), np.mean, confidence_level=0.9, n_resamples=RESAMPLES, method="percentile",
        rng=np.random.default_rng(SEED), batch=100,
    ).confidence_interval  # fmt: skip
    found = difference(mean(first), mean(second), 0.9)
    assert (found.low, found.high) == pytest.approx(tuple(reference))
    assert (found.value, found.n, found.p_better) == (pytest.approx(first.mean() - second.mean()), 70, None)


def test_rows_are_paired_and_not_two_samples(chance):
    hard = chance.random(300)
    first, second = hard + 0.02 + 0.01 * chance.random(300), hard
    found = difference(mean(first), mean(second))
    assert 0 < found.low < found.high < 0.03  # the rows' own spread, of 0.29, is not in it


def test_of_two_shares_mcnemars_exact_test_is_told():
    first, second = [True] * 12 + [False] * 3 + [True] * 20, [False] * 12 + [True] * 3 + [True] * 20
    found = difference(share(first), share(second))
    assert found.p_better == pytest.approx(stats.binomtest(12, 15, alternative="greater").pvalue)
    assert difference(share(second), share(first), lower_is_better=True).p_better == pytest.approx(found.p_better)
