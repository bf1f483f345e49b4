"""Figures for labels on a table worked out by hand."""

import random

import pytest

from brewslm.metrics import classification
from brewslm.metrics.intervals import bootstrap

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


def test_the_interval_of_macro_f1_is_that_of_scikit_learns_macro_f1():
    chance = random.Random(1)
    expected = [chance.choice("aaabbc") for _ in range(60)]
    predicted = [label if chance.random() < 0.7 else chance.choice("abcd") for label in expected]
    labels = ["a", "b", "c", "d"]

    def by_scikit_learn(wanted, said):
        return classification.macro_f1(wanted, said, labels)

    fast = classification.macro_f1_interval(expected, predicted, labels)
    assert fast == pytest.approx(bootstrap(by_scikit_learn, expected, predicted), abs=0.02)
    whole = classification.macro_f1(expected, predicted, labels)
    assert fast[0] < whole < fast[1]
    assert classification.macro_f1_interval(["a"], ["b"], ["a", "b"]) == (0.0, 0.0)


def test_the_confusion_matrix_has_expected_rows_and_predicted_columns():
    assert classification.confusion(EXPECTED, PREDICTED, ["a", "b", "c"])["counts"] == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]
