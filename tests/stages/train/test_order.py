"""The order of rows is a function of seed and epoch alone."""

from hypothesis import given
from hypothesis import strategies as st

from brewslm.stages.train.order import LengthGroupedOrder


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(1, 9), st.integers(0, 3))
def test_every_row_comes_once_an_epoch(lengths, batch_size, epoch):
    order = LengthGroupedOrder(lengths, batch_size, seed=7)
    order.set_epoch(epoch)
    assert sorted(order) == list(range(len(lengths)))
    assert len(order) == len(lengths)


def test_epochs_differ_and_repeat_exactly():
    lengths = [n % 17 + 1 for n in range(100)]
    first, again, other = (LengthGroupedOrder(lengths, 8, seed) for seed in (1, 1, 2))
    assert list(first) == list(again) != list(other)
    again.set_epoch(1)
    assert list(first) != list(again)


def test_rows_of_a_batch_are_of_like_length():
    lengths = [n * 37 % 101 + 1 for n in range(256)]
    order = list(LengthGroupedOrder(lengths, 16, seed=3))
    spreads = [
        max(found) - min(found) for at in range(0, 256, 16) if (found := [lengths[place] for place in order[at : at + 16]])
    ]
    assert sum(spreads) / len(spreads) < 12
