"""Perplexity and bits per byte, by hand."""

from math import log

import pytest

from brewslm.metrics.likelihood import bits_per_byte, perplexity


def test_perplexity_is_over_tokens_not_rows():
    value, low, high = perplexity([-3 * log(2), -1 * log(16)], [3, 1]).at()
    assert value == pytest.approx(2 ** (7 / 4))
    assert low == pytest.approx(2) and high == pytest.approx(16)


def test_a_fair_coin_for_each_bit_needs_eight_bits_for_a_byte():
    assert bits_per_byte([-16 * log(2)], ["é"]).at() == pytest.approx((8, 8, 8))
    assert bits_per_byte([-8 * log(2), 0.0], ["a", "bcd"]).value == pytest.approx(2)
