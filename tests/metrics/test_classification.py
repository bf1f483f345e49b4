"""Figures for labels: those of scikit-learn, on random tables."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from brewslm.metrics import classification

EXPECTED = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "a", "b", "b", "a", "b"]
LABELS = ["a", "b", "c", "d"]


def alone(labels):
    return [{label} for label in labels]


@pytest.mark.parametrize("seed", range(20))
def test_of_one_label_a_row_they_are_scikit_learns(seed):
    chance = np.random.default_rng(seed)
    expected, predicted = (chance.choice(LABELS, 25, p=weights).tolist() for weights in ([0.5, 0.3, 0.2, 0], [0.25] * 4))
    columns = precision_recall_fscore_support(expected, predicted, labels=LABELS, zero_division=0.0)
    found = classification.per_class(classification.by_class(alone(expected), alone(predicted), LABELS))
    for place, label in enumerate(LABELS):
        assert list(found[label].values()) == pytest.approx([column[place] for column in columns]), label
    macro = classification.macro_f1(alone(expected), alone(predicted), LABELS)
    assert macro.value == pytest.approx(f1_score(expected, predicted, labels=LABELS, average="macro", zero_division=0.0))


@pytest.mark.parametrize("seed", range(10))
def test_of_any_number_of_labels_too(seed):
    chance = np.random.default_rng(seed)
    tables = chance.random((2, 15, 4)) < 0.4
    expected, predicted = ([{LABELS[at] for at in np.flatnonzero(row)} for row in table] for table in tables)
    macro = classification.macro_f1(expected, predicted, LABELS)
    assert macro.value == pytest.approx(f1_score(*tables, average="macro", zero_division=0.0))
    columns = precision_recall_fscore_support(*tables, zero_division=0.0)
    found = classification.per_class(classification.by_class(expected, predicted, LABELS))
    assert [own["f1"] for own in found.values()] == pytest.approx(columns[2].tolist())


def test_precision_is_of_the_rows_that_were_called_so_and_recall_of_those_that_are():
    found = classification.by_class(alone(EXPECTED), alone(PREDICTED), LABELS)
    assert {kind: found["b"][kind].n for kind in ("precision", "recall", "f1")} == {"precision": 3, "recall": 2, "f1": 4}
    assert found["d"]["recall"].n == 0 and found["d"]["recall"].interval() == (0, 1)


def test_the_confusion_matrix_has_expected_rows_and_predicted_columns():
    assert classification.confusion(EXPECTED, PREDICTED, ["a", "b", "c"])["counts"] == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]
