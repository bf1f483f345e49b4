"""Slices of rows."""

import pytest
from pydantic import ValidationError

from brewslm.rows.manifest import PreparedRow
from brewslm.rows.slices import RowSlice, length_bucket, rows_by, rows_by_length

ROWS = [
    PreparedRow(row_id=str(place), payload=payload)
    for place, payload in enumerate([
        {"text": "one two three", "language": "en", "meta": {"shop": 1}, "labels": ["a", "b"]},
        {"text": "ein", "language": "de", "meta": {"shop": True}, "labels": []},
        {"text": "un deux " * 20, "meta": "none", "labels": ["a"]},
    ])
]  # fmt: skip


def held(**fields):
    cut = RowSlice(slice_id="s", **fields)
    return [row.row_id for row in ROWS if cut.holds(row.payload)]


def test_a_slice_is_of_a_value_or_several():
    assert held(field="language", equals="en") == ["0"]
    assert held(field="language", equals=["en", "de"]) == ["0", "1"]
    assert held(field="language", equals=None) == ["2"]
    assert held(field="meta.shop", equals=1) == ["0"]  # true is not one
    assert held(field="meta.shop.more", equals="x") == []


def test_a_slice_is_of_a_length_with_both_ends_in_it():
    assert held(field="text", max_words=3) == ["0", "1"]
    assert held(field="text", min_words=3) == ["0", "2"]
    assert held(field="text", min_words=1, max_words=1) == ["1"]
    assert held(field="labels", max_words=9) == []  # it has no words


def test_a_slice_that_says_nothing_is_none():
    with pytest.raises(ValidationError, match="needs equals, min_words or max_words"):
        RowSlice(slice_id="s", field="text")


def test_rows_stand_under_each_of_their_values():
    assert rows_by(ROWS, "language") == {"en": [0], "de": [1], "(none)": [2]}
    assert rows_by(ROWS, "labels") == {"a": [0, 2], "b": [0]}


def test_every_text_has_one_bucket():
    assert rows_by_length(ROWS, "text") == {"0–10 words": [0, 1], "26–50 words": [2]}
    assert [length_bucket("a " * words) for words in (10, 11, 400, 401)] == [
        "0–10 words", "11–25 words", "201–400 words", "over 400 words",
    ]  # fmt: skip
