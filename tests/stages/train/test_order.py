"""The order of rows is a function of seed and epoch alone."""

from hypothesis import given
from hypothesis import strategies as st

from brewslm.stages.train.order import ShuffledOrder


@given(st.integers(1, 200), st.integers(0, 3))
def test_every_row_comes_once_an_epoch(rows, epoch):
    order = ShuffledOrder(rows, seed=7)
    order.set_epoch(epoch)
    assert sorted(order) == list(range(rows))
    assert len(order) == rows


def test_epochs_differ_and_repeat_exactly():
    first, again, other = (ShuffledOrder(100, seed) for seed in (1, 1, 2))
    assert list(first) == list(again) != list(other)
    again.set_epoch(1)
    assert list(first) != list(again)


def test_no_step_is_of_short_rows_alone():
    """In rows of which half are short, as refusals are, the batches are mixed."""
    short = set(range(0, 512, 2))
    order = list(ShuffledOrder(512, seed=3))
    shares = [len(short.intersection(order[at : at + 16])) / 16 for at in range(0, 512, 16)]
    assert min(shares) > 0.1
    assert max(shares) < 0.9
