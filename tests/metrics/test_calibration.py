"""Calibration is what the reference libraries say."""

import numpy as np
import pytest

from brewslm.metrics.calibration import brier_score, expected_calibration_error, reliability

LABELS = ["a", "b", "c"]


@pytest.fixture(params=range(5))
def drawn(request):
    """Truth and probabilities of 200 rows, some of them sure and wrong."""
    chance = np.random.default_rng(request.param)
    table = chance.dirichlet([0.4] * 3, 200)
    truth = [LABELS[at] for at in chance.integers(0, 3, 200)]
    return truth, table, [dict(zip(LABELS, row.tolist(), strict=True)) for row in table]


def test_the_expected_calibration_error_is_torchmetrics(drawn):
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    truth, table, given = drawn
    places = torch.tensor([LABELS.index(one) for one in truth])
    wanted = multiclass_calibration_error(torch.tensor(table), places, num_classes=3, n_bins=10, norm="l1")
    assert expected_calibration_error(truth, given).value == pytest.approx(wanted.item(), abs=1e-5)


def test_the_brier_score_is_scikit_learns(drawn):
    from sklearn.metrics import brier_score_loss

    truth, table, given = drawn
    wanted = brier_score_loss(truth, table, labels=LABELS, scale_by_half=False)
    assert brier_score(truth, given).value == pytest.approx(wanted)


def test_a_label_that_has_no_probability_has_none():
    assert brier_score(["new"], [{"a": 0.6, "b": 0.4}]).value == pytest.approx(0.36 + 0.16 + 1)


def test_the_bins_of_a_diagram_hold_every_row_and_give_the_error_again(drawn):
    truth, _, given = drawn
    bins = reliability(truth, given)
    assert sum(one["n"] for one in bins) == 200
    gap = sum(one["n"] * abs(one["probability"] - one["accuracy"]) for one in bins) / 200
    assert gap == pytest.approx(expected_calibration_error(truth, given).value)
