"""Splits: seeded, in proportion, whole, and with no text on two sides."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from brewslm.rows import RowReason
from brewslm.rows.splitting import Candidate, Sizes, assign, counts, default_sizes, text_key


def candidates(count, strata=("a", "b"), texts=None):
    return [Candidate(f"r{n}", text_key(f"text {n % texts if texts else n}"), strata[n % len(strata)]) for n in range(count)]


def test_texts_that_differ_only_in_case_and_spaces_are_the_same():
    assert text_key("A  lovely\nfilm ") == text_key("a lovely FILM") == text_key("a lovely ﬁlm")
    assert text_key("a lovely film") != text_key("a lovely film.")


def test_sizes_are_as_asked_and_the_rest_is_beyond_the_limit():
    placed = assign(candidates(100), Sizes(train=30, dev=10, eval=20), 1)
    assert counts(placed) == {"train": 30, "dev": 10, "eval": 20}
    assert Counter(placed.values())[RowReason.SPLIT_LIMIT] == 40


def test_each_split_holds_the_labels_in_proportion():
    rare = [Candidate(f"r{n}", text_key(str(n)), "rare" if n % 10 == 0 else "common") for n in range(1000)]
    for seed in range(5):
        placed = assign(rare, Sizes(train=None, dev=100, eval=200), seed)
        for split, rows in (("eval", 200), ("dev", 100), ("train", 700)):
            members = [one.stratum for one in rare if placed[one.row_id] == split]
            assert abs(members.count("rare") - rows / 10) <= 1


def test_the_seed_decides_and_the_order_of_rows_does_not():
    rows, sizes = candidates(60), Sizes(None, 6, 12)
    assert assign(rows, sizes, 1) == assign(rows[::-1], sizes, 1)
    assert assign(rows, sizes, 1) != assign(rows, sizes, 2)


def test_a_fifth_and_a_tenth_up_to_a_limit():
    assert default_sizes(100, None, None, None) == Sizes(None, 10, 20)
    assert default_sizes(10_000, None, None, None) == Sizes(None, 100, 400)
    assert default_sizes(2, None, None, None) == Sizes(None, 0, 1)
    assert default_sizes(100, 5, 0, 7) == Sizes(5, 0, 7)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ab")), max_size=60),
    st.integers(0, 9),
    st.integers(0, 5),
    st.integers(1, 9),
)
def test_every_row_is_placed_once_and_no_text_stands_on_two_sides(rows, train, dev, held_out):
    given_rows = [Candidate(f"r{n}", text_key(str(text)), label) for n, (text, label) in enumerate(rows)]
    placed = assign(given_rows, Sizes(train or None, dev, held_out), 3)
    assert set(placed) == {one.row_id for one in given_rows}
    sides: dict[bytes, set[str]] = {}
    for one in given_rows:
        if not isinstance(placed[one.row_id], RowReason):
            sides.setdefault(one.text_key, set()).add(placed[one.row_id])
    assert all(len(splits) == 1 for splits in sides.values())
    assert counts(placed)["eval"] == min(held_out, len(rows))
