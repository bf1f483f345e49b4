"""The labelled pairs of the faithfulness bench are what their labels say, and its halves have no category in common."""

import random

import numpy as np
import pytest

from bench.faithfulness import best_threshold, difference, held_out
from bench.faithfulness_pairs import KINDS, Pair, deny, folds, reword, swap_word
from brewslm.metrics.grounding import nearest_sentences, sentences, support


@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ("Paris is the capital.", "Paris is not the capital."),
        ("I do not know it.", "I do know it."),
        ("You can't do that.", "You can do that."),
        ("It cannot be.", "It can be."),
        ("Never mind that.", "mind that."),
        ("Forty two.", "It is not true that forty two."),
    ],
)
def test_a_denial_says_the_contrary_in_nearly_the_same_words(said, denied):
    assert deny(said) == denied


def test_rewording_keeps_what_is_said_and_changes_words():
    found = {reword("It's a big movie.", random.Random(seed)) for seed in range(9)}
    assert "It is a large film." in found and all("large film" in one for one in found)
    assert reword("Zebra.", random.Random(2)).endswith("Zebra.")


def test_a_swapped_word_is_one_that_the_context_does_not_have():
    entries = [("a", "q", f"The answer mentions elephant{n}s here") for n in range(30)]
    found = swap_word(
        "Hippopotamus lives there", "Hippopotamus lives there the answer mentions here", entries, "a", random.Random(1)
    )
    assert found.startswith("elephant") and found.endswith(" lives there")


def test_each_category_is_in_one_fold_and_every_pair_in_one():
    made = [Pair(kind, f"category {n % 7}", "a", "b") for n in range(28) for kind in KINDS]
    parts = folds(made)
    assert sorted(place for part in parts for place in part) == list(range(len(made))) and all(parts)
    categories = [{made[place].category for place in part} for part in parts]
    assert sum(map(len, categories)) == 7 and folds(made) == parts


def test_a_pair_is_judged_by_the_threshold_of_the_others():
    scores, known = np.array([0.1, 0.9] * 3), np.array([False, True, False, True, True, False])
    assert held_out(scores, known, [[0, 1], [2, 3], [4, 5]]).tolist()[4:] == [False, True]  # its own labels say the contrary


def test_the_threshold_is_the_one_that_agrees_most():
    scores, known = np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])
    assert 0.2 < best_threshold(scores, known) <= 0.8


def test_a_difference_of_kappas_is_that_of_the_pairs():
    known = np.array([True, False] * 30)
    found = difference(known, ~known, known)
    assert found["kappa"] == 2.0 and 1.5 < found["low"] < found["high"] == 2.0


def test_sentences_end_at_their_marks_and_lines():
    assert sentences('He said "so." Then he left!\nA line… 雨。晴れ ...') == [
        'He said "so."',
        "Then he left!",
        "A line…",
        "雨。",
        "晴れ ...",
    ]
    assert sentences(" … \n") == []


def test_each_sentence_finds_its_nearest_and_is_made_a_vector_once():
    asked = []

    def vectors(texts):
        asked.extend(texts)
        return np.array([[1.0, 0.0] if "a" in text else [0.0, 1.0] for text in texts])

    found = nearest_sentences([("a one. b two.", "a three."), ("", "a three."), ("a one.", "")], vectors)
    assert found == [[1.0, 0.0], [], [0.0]]
    assert sorted(asked) == ["a one.", "a three.", "b two."]


def test_words_alone_do_not_see_a_denial():
    assert support(deny("Paris is the capital."), "Paris is the capital.") == 1.0
