"""Figures for labels on a table worked out by hand."""

import pytest

from brewslm.metrics import classification

EXPECTED = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "a", "b", "b", "a", "b"]


def test_per_class_figures_and_their_mean():
    rows = classification.per_class(EXPECTED, PREDICTED, ["a", "b", "c"])
    assert rows["a"] == {
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(2 / 3),
        "support": 3,
    }
    assert rows["b"] == {"precision": pytest.approx(1 / 3), "recall": 0.5, "f1": pytest.approx(0.4), "support": 2}
    assert rows["c"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert classification.macro_f1(EXPECTED, PREDICTED, ["a", "b", "c"]) == pytest.approx((2 / 3 + 0.4 + 0) / 3)
    assert classification.accuracy(EXPECTED, PREDICTED) == 0.5


def test_the_confusion_matrix_has_expected_rows_and_predicted_columns():
    assert classification.confusion(EXPECTED, PREDICTED, ["a", "b", "c"])["counts"] == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]
