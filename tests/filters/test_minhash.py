import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.filters.minhash import band_keys, jaccard, shingles, similarity, words_of

WORDS = [
    f"{a}{b}{c}" for a in ("ka", "lo", "mi", "ne") for b in ("ra", "su", "ti", "vo", "we") for c in ("", "n", "s", "xel", "dor")
]


def text_of(choice: random.Random, words: int) -> list[str]:
    return choice.choices(WORDS, k=words)


def altered(words: list[str], edits: int, choice: random.Random) -> list[str]:
    made = list(words)
    for place in choice.sample(range(len(made)), edits):
        made[place] = f"new{choice.randrange(10**6)}"
    return made


def pairs(count: int, words: int, edits: range) -> list[tuple[str, str]]:
    """Seeded pairs of texts; the second has some of the first's words replaced."""
    choice = random.Random(7)
    made = []
    for _ in range(count):
        first = text_of(choice, words)
        made.append((" ".join(first), " ".join(altered(first, choice.choice(edits), choice))))
    return made


@pytest.mark.parametrize(("words", "edits"), [(300, range(1, 6)), (60, range(1, 2)), (20, range(1, 3))])
def test_pairs_that_are_alike_share_a_band(words, edits):
    texts = pairs(600, words, edits)
    alike = [pair for pair in texts if similarity(*pair) >= 0.8]
    keys = [band_keys(pair) for pair in alike]
    found = sum(bool(set(left.tolist()) & set(right.tolist())) for left, right in keys)
    assert len(alike) >= 200
    assert found / len(alike) >= 0.95


def test_pairs_that_have_little_in_common_seldom_share_a_band():
    texts = [pair for pair in pairs(400, 300, range(60, 120)) if similarity(*pair) < 0.4]
    keys = [band_keys(pair) for pair in texts]
    assert len(texts) >= 300
    assert sum(bool(set(left.tolist()) & set(right.tolist())) for left, right in keys) / len(texts) < 0.1


@given(st.lists(st.sampled_from(WORDS), min_size=40, max_size=80), st.lists(st.sampled_from(WORDS), min_size=40, max_size=80))
def test_similarity_is_the_jaccard_of_sets_of_five_words(left, right):
    first, second = ({tuple(words[at : at + 5]) for at in range(len(words) - 4)} for words in (left, right))
    assert similarity(" ".join(left), " ".join(right)) == pytest.approx(len(first & second) / len(first | second))


@given(st.text(max_size=80), st.text(max_size=80))
def test_similarity_is_symmetric_and_a_text_equals_itself(left, right):
    assert similarity(left, right) == similarity(right, left)
    assert 0.0 <= similarity(left, right) <= 1.0
    assert similarity(left, left) == (1.0 if words_of(left) else 0.0)


def test_one_other_word_in_a_sentence_keeps_most_of_it():
    assert similarity("Please send me the invoice for March today.", "Please send me the invoice for April today.") > 0.6
    assert similarity("Please send me the invoice.", "Where is the nearest station?") < 0.2


def test_case_spacing_and_punctuation_do_not_count():
    assert similarity("It is  DONE, now!", "it is done now") == 1.0
    assert words_of("Größe_1, ok") == ["größe_1", "ok"] and words_of("Size_1, OK") == ["size_1", "ok"]


@pytest.mark.parametrize("text", ["a", "ab cd", "日本", "x" * 4])
def test_a_text_shorter_than_a_shingle_is_one(text):
    assert len(shingles(text)) == 1 and len(band_keys([text])[0]) == 18
    assert similarity(text, text) == 1.0


def test_a_text_without_words_has_no_keys_and_is_like_nothing():
    assert [len(keys) for keys in band_keys(["", "!?", "ok"])] == [0, 0, 18]
    assert jaccard(shingles(""), shingles("")) == 0.0


def test_texts_at_the_border_of_short_and_long_find_each_other():
    words = text_of(random.Random(3), 42)
    long, short = " ".join(words), " ".join(words[:38])
    assert similarity(long, short) >= 0.8
    first, second = band_keys([long, short])
    assert len(first) == 36 and len(second) == 18 and set(first.tolist()) & set(second.tolist())


def test_a_batch_gives_what_each_text_gives_alone():
    texts = ["one short text", " ".join(text_of(random.Random(1), 200)), "", " ".join(text_of(random.Random(2), 45))]
    for together, text in zip(band_keys(texts), texts, strict=True):
        assert np.array_equal(together, band_keys([text])[0]) and together.dtype == np.uint64
    assert band_keys([]) == []


def test_keys_are_the_same_in_another_process():
    code = "from brewslm.filters.minhash import band_keys; print(band_keys(['a text that is kept'])[0].tolist())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(band_keys(["a text that is kept"])[0].tolist())
