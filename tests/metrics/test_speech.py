import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.metrics.speech import character_errors, error_rate, word_errors
from brewslm.models.spelling import plain_words

SAID = st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=5).map(" ".join)
HEARD = st.lists(st.sampled_from(["one", "two", "tree"]), max_size=5).map(" ".join)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(SAID, HEARD), min_size=1, max_size=5))
def test_the_rates_are_those_of_jiwer_over_all_rows(pairs):
    wanted, heard = map(list, zip(*pairs, strict=True))
    value, low, high = error_rate(word_errors(wanted, heard)).at()
    assert value == pytest.approx(jiwer.wer(wanted, heard)) and low <= value + 1e-9 and value <= high + 1e-9
    assert error_rate(character_errors(wanted, heard)).value == pytest.approx(jiwer.cer(wanted, heard))


def test_a_rate_can_be_over_one_and_a_longer_text_weighs_more():
    assert error_rate(word_errors(["one"], ["two three four"])).value == 3.0
    assert error_rate(word_errors(["a b c", "d"], ["a b c", "x"])).value == 0.25


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Hello,  World!", "hello world"),
        ("It’s o'clock 'now'", "it's o'clock now"),
        ("snake_case—and Ｗide", "snake case and wide"),
        ("3.5 %", "3 5"),
        ("...", ""),
    ],
)
def test_a_text_as_it_sounds(text, plain):
    assert plain_words(text) == plain
