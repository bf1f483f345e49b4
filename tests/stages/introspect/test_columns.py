from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.stages.introspect import ColumnType, signature_of

SENTENCES = [f"This is sentence number {n}, and it goes on for a while." for n in range(20)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (SENTENCES, ColumnType.TEXT_LIKE),
        (["pos", "neg"] * 10, ColumnType.CATEGORICAL),
        (["very good", "very bad", "very good", "very bad"], ColumnType.CATEGORICAL),
        ([f"intent_{n % 77}" for n in range(220)], ColumnType.CATEGORICAL),
        ([0, 1, 1, 0, 2, 2], ColumnType.CLASS_ID),
        (["0", "1", "1", "0"], ColumnType.CLASS_ID),
        ([0.25, 1.5, -2.0], ColumnType.NUMERIC),
        (list(range(30)), ColumnType.NUMERIC),
        ([True, False], ColumnType.BOOLEAN),
        (["yes", "No", "yes"], ColumnType.BOOLEAN),
        ([["B-PER", "O"], ["O"]], ColumnType.BIO_TAG_LIST),
        (['["B-PER", "O"]', '["O"]'], ColumnType.BIO_TAG_LIST),
        ([["Ada", "came"], ["Yes"]], ColumnType.TOKENS_LIST),
        ([[{"role": "user", "content": "hi"}]], ColumnType.CHAT_MESSAGES),
        ([[{"type": "PER", "start": 0, "end": 3, "text": "Ada"}]], ColumnType.ENTITY_LIST_JSON),
        (["/a/b.png", "/a/c.png", "https://example.org/x"], ColumnType.PATH_LIKE),
        (["a/b.png", "c.JPG", "https://example.org/d.webp?w=9"], ColumnType.IMAGE_PATH),
        ([{"bytes": None, "path": "b.jpeg"}], ColumnType.IMAGE_PATH),
        (["data:image/png;base64," + "A" * 900], ColumnType.IMAGE_PATH),
        (["data:audio/wav;base64,AAAA"], ColumnType.AUDIO_PATH),
        (["clips/a.mp3", "b.flac"], ColumnType.AUDIO_PATH),
        (["a.txt", "b.csv"], ColumnType.PATH_LIKE),
        ([{"a": 1}, {"b": 2}], ColumnType.NESTED_JSON),
        (['{"a": 1}', '{"b": [2]}'], ColumnType.NESTED_JSON),
        ([[{"a": 1}], [{"b": 2}]], ColumnType.NESTED_JSON),
        (["B-PER O", "O"], ColumnType.BIO_TAG_LIST),
        (["['B-x-ray', 'O']", "['O']"], ColumnType.BIO_TAG_LIST),
        ([["S-X", "B-X", "E-X"]], ColumnType.BIO_TAG_LIST),
        ([[{"from": "human", "value": "hi"}]], ColumnType.CHAT_MESSAGES),
        (["2025-01-02", "2025-01-03 10:20"], ColumnType.UNKNOWN),
        (["O", "O"], ColumnType.CATEGORICAL),
        ([None, "", " "], ColumnType.UNKNOWN),
        ([], ColumnType.UNKNOWN),
    ],
)
def test_a_column_is_told_by_its_values(values: list[Any], expected: ColumnType) -> None:
    assert signature_of("column", values).column_type is expected


def test_a_list_type_must_hold_for_every_value() -> None:
    assert signature_of("c", [["B-PER"], ["Ada"]]).column_type is ColumnType.TOKENS_LIST
    assert signature_of("c", [["Ada"], "text"]).column_type is not ColumnType.TOKENS_LIST


def test_a_signature_counts_what_is_empty_and_cuts_its_sample() -> None:
    signature = signature_of("c", [None, "x" * 500, " "])
    assert signature.sample_value == "x" * 120 and "empty in 2 of 3 rows" in signature.notes


json_values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text() | st.integers(), max_size=3)
)


@given(st.lists(json_values, max_size=12))
def test_no_values_can_break_a_signature(values: list[Any]) -> None:
    signature = signature_of("c", values)
    assert 0 <= signature.confidence <= 1 and signature.unique_values <= len(values)
