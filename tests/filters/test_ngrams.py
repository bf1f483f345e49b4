from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.filters.ngrams import DUPLICATED, TOP
from brewslm.filters.words import WordStatistics, duplicate_shares
from tests.filters.test_text import PROSE


def plainly(words: list[str]) -> tuple[dict[int, float], dict[int, float]]:
    """The same shares by counting tuples."""
    total = sum(len(word) + 1 for word in words)
    top, duplicated = dict.fromkeys(TOP, 0.0), dict.fromkeys(DUPLICATED, 0.0)
    for n in (*TOP, *DUPLICATED):
        grams = [tuple(words[place : place + n]) for place in range(len(words) - n + 1)]
        counts = Counter(grams)
        most = max(counts.values(), default=0)
        if n in TOP and most > 1:
            longest = max(sum(len(word) + 1 for word in gram) for gram, count in counts.items() if count == most)
            top[n] = min(1.0, most * longest / total)
        if n in DUPLICATED:
            seen: set[tuple[str, ...]] = set()
            covered: set[int] = set()
            for place, gram in enumerate(grams):
                if gram in seen:
                    covered.update(range(place, place + n))
                seen.add(gram)
            duplicated[n] = sum(len(words[place]) + 1 for place in covered) / total if total else 0.0
    return top, duplicated


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["a", "bb", "ccc", "d"]), max_size=60))
def test_the_shares_are_those_of_plain_counting(words):
    found = WordStatistics(" ".join(words)).repetition
    top, duplicated = plainly(words)
    assert found.top == pytest.approx(top) and found.duplicated == pytest.approx(duplicated)


def test_prose_repeats_little_and_a_chorus_much():
    prose, chorus = WordStatistics(PROSE).repetition, WordStatistics(PROSE * 3).repetition
    assert max(prose.duplicated.values()) == 0.0
    assert chorus.duplicated[10] == pytest.approx(2 / 3, abs=0.02)


@given(st.text(st.sampled_from("aZ é日1_-.\n\t\x1c\x0b\x85\u2003")))
def test_words_with_letters_are_counted_alike_in_ascii_and_beyond(text):
    words = WordStatistics(text)
    assert words.alphabetic == sum(1 for word in text.split() if any(char.isalpha() for char in word))
    assert words.spoken == sum(1 for word in text.split() if any(char.isalnum() for char in word))


def test_the_first_of_equal_lines_is_no_duplicate():
    assert duplicate_shares(["ab", "ab", "cdef"]) == (pytest.approx(1 / 3), pytest.approx(2 / 8))
    assert duplicate_shares([]) == (0.0, 0.0)
