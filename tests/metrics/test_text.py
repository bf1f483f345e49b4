"""SQuAD's two figures."""

import pytest

from brewslm.metrics.text import squad_rows


def test_case_punctuation_and_articles_do_not_count():
    assert squad_rows(["The cat."], ["cat"]) == ([1.0], [1.0])


def test_f1_is_of_shared_words():
    exact, f1 = squad_rows(["a big black cat", "yes"], ["black dog", ""])
    assert exact == [0.0, 0.0]
    assert f1 == [pytest.approx(2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3)), 0.0]
