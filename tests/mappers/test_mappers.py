from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.errors import StageError
from brewslm.mappers import MAPPERS, mapper_of
from brewslm.mappers.base import as_label, as_list, as_number
from brewslm.rows import RejectedRow, RowBlock, RowReason, SentinelRow
from tests.mapping import map_one

CLASSIFICATION = {"text": "t", "label": "l"}
SPANS = {"tokens": "t", "labels": "l"}
NEEDED_OPTIONS = {"kv_to_structured": {"fields": "b,inner=c.d"}}


def reason(name: str, field_map: dict[str, str], values: dict[str, Any]) -> RowReason | None:
    outcome = map_one(name, field_map, values)
    return outcome.reason if isinstance(outcome, RejectedRow) else None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, RowReason.MISSING_TEXT),
        ({"t": 7, "l": "a"}, RowReason.MISSING_TEXT),
        ({"t": " \n", "l": "a"}, RowReason.EMPTY_TEXT),
        ({"t": "x"}, RowReason.MISSING_LABEL),
        ({"t": "x", "l": "  "}, RowReason.MISSING_LABEL),
        ({"t": "x", "l": ["a", {}]}, RowReason.MISSING_LABEL),
        ({"t": "x", "l": ["a"]}, None),
        ({"t": "x", "l": "a"}, None),
    ],
)
def test_classification_says_what_a_row_lacks(values: dict[str, Any], expected: RowReason | None) -> None:
    assert reason("label_to_classification", CLASSIFICATION, values) is expected


def test_a_text_with_several_labels_has_each_once_and_may_have_none() -> None:
    def labels(given: Any, **options: str) -> Any:
        mapped = map_one("label_to_classification", CLASSIFICATION | options, {"t": "x", "l": given})
        return mapped["labels"] if not isinstance(mapped, RejectedRow) else mapped.reason

    assert labels(["b", "a", "b ", 3]) == ["3", "a", "b"]
    assert labels([]) == []
    assert labels("a; b;;a", separator=";") == ["a", "b"]
    assert labels(7, separator=";") is RowReason.MISSING_LABEL
    assert labels(["a", "z"], allowed_labels="a,b") is RowReason.LABEL_NOT_ALLOWED


def test_labels_outside_the_allowed_ones_are_rejected_with_what_is_known() -> None:
    field_map = CLASSIFICATION | {"allowed_labels": "positive, negative"}
    assert reason("label_to_classification", field_map, {"t": "x", "l": "negative"}) is None
    outcome = map_one("label_to_classification", field_map, {"t": "x", "l": "postive"})
    assert isinstance(outcome, RejectedRow) and outcome.reason is RowReason.LABEL_NOT_ALLOWED
    assert outcome.detail == "label is 'postive'; allowed: negative, positive"


@pytest.mark.parametrize(
    ("score", "neutral"), [(0, True), (0.49, True), ("-0.3", True), (-0.5, False), (None, False), ("?", False)]
)
def test_a_score_inside_the_neutral_band_is_rejected(score: Any, neutral: bool) -> None:
    field_map = CLASSIFICATION | {"score": "s", "neutral_band": "0.5"}
    found = reason("label_to_classification", field_map, {"t": "x", "l": "a", "s": score})
    assert (found is RowReason.NEUTRAL_SCORE) == neutral


@pytest.mark.parametrize(
    "options", [{"neutral_band": "0.5"}, {"score": "s", "neutral_band": "wide"}, {"score": "s", "neutral_band": "-1"}]
)
def test_a_neutral_band_that_means_nothing_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(StageError) as refused:
        mapper_of("label_to_classification", CLASSIFICATION | options)
    assert refused.value.reason.code == "invalid_request"


@pytest.mark.parametrize(
    ("value", "label"), [(1, "1"), (0, "0"), (2.0, "2"), (2.5, "2.5"), (True, "true"), (" a ", "a"), (float("nan"), None)]
)
def test_labels_may_be_numbers_and_booleans(value: Any, label: str | None) -> None:
    assert as_label(value) == label


def test_qa_needs_both_sides() -> None:
    field_map = {"question": "q", "answer": "a"}
    assert reason("qa_pair_passthrough", field_map, {"q": "Why?"}) is RowReason.MISSING_ANSWER
    assert reason("qa_pair_passthrough", field_map, {"q": " ", "a": "So."}) is RowReason.MISSING_QUESTION
    outcome = map_one("qa_pair_passthrough", field_map, {"q": "Why? ", "a": "So.", "more": 1})
    assert outcome == {"question": "Why? ", "answer": "So."}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"l": ["O"]}, RowReason.MISSING_TOKENS),
        ({"t": [], "l": []}, RowReason.MISSING_TOKENS),
        ({"t": [1], "l": ["O"]}, RowReason.MISSING_TOKENS),
        ({"t": ["a"]}, RowReason.MISSING_LABELS),
        ({"t": ["a"], "l": ["O", "O"]}, RowReason.LENGTH_MISMATCH),
        ({"t": ["a"], "l": ["X"]}, RowReason.INVALID_TAG),
        ({"t": ["a"], "l": [3]}, RowReason.INVALID_TAG),
        ({"t": [" "], "l": ["O"]}, RowReason.EMPTY_TEXT),
        ({"t": '["a"]', "l": '["B-X"]'}, None),
        ({"t": "['a', \"it's\"]", "l": "['O', 'B-X']"}, None),
        ({"t": "['a' 'b']", "l": "['O' 'B-X']"}, RowReason.MISSING_TOKENS),  # numpy's: its items would run together
        ({"t": "a b", "l": "O B-X"}, None),
        ({"t": "a b", "l": "O"}, RowReason.LENGTH_MISMATCH),
        ({"t": "[a b]", "l": "O B-X"}, RowReason.MISSING_TOKENS),
        ({"t": " ", "l": "O"}, RowReason.MISSING_TOKENS),
    ],
)
def test_bio_says_what_a_row_lacks(values: dict[str, Any], expected: RowReason | None) -> None:
    assert reason("bio_to_spans", SPANS, values) is expected


def test_bio_spans_begin_at_b_and_go_on_at_i_of_the_same_type() -> None:
    values = {"t": ["A", "B", "C", "D", "E"], "l": ["B-X", "I-X", "B-X", "I-Y", "O"]}
    outcome = map_one("bio_to_spans", SPANS, values)
    assert isinstance(outcome, dict)
    spans = outcome["entities_json"]["entities"]
    assert [(span["type"], span["text"]) for span in spans] == [("X", "A B"), ("X", "C"), ("Y", "D")]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["B-X", "I-X", "L-X", "U-X", "O"], [("X", "a b c"), ("X", "d")]),  # BILOU
        (["B-X", "E-X", "S-Y", "S-Y", "I-X"], [("X", "a b"), ("Y", "c"), ("Y", "d"), ("X", "e")]),  # IOBES
        (["L-X", "I-X", "O", "E-Y", "E-Y"], [("X", "a"), ("X", "b"), ("Y", "d"), ("Y", "e")]),  # what ends is not gone on with
        (["B-x-ray", "I-x-ray", "B-x", "I-x-ray", "O"], [("x-ray", "a b"), ("x", "c"), ("x-ray", "d")]),
    ],
)
def test_bilou_iobes_and_hyphenated_types(tags: list[str], spans: list[tuple[str, str]]) -> None:
    outcome = map_one("bio_to_spans", SPANS, {"t": list("abcde"), "l": tags})
    assert isinstance(outcome, dict)
    assert [(span["type"], span["text"]) for span in outcome["entities_json"]["entities"]] == spans


def test_words_between_spaces_keep_the_text_as_it_was() -> None:
    outcome = map_one("bio_to_spans", SPANS, {"t": " Ada  Byron\tcame\n", "l": "B-PER I-PER O"})
    assert isinstance(outcome, dict)
    (span,) = outcome["entities_json"]["entities"]
    assert outcome["text"] == " Ada  Byron\tcame\n" and span["text"] == "Ada  Byron"


tokens = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
tags = st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"])


@given(st.lists(st.tuples(tokens, tags, st.booleans()), min_size=1, max_size=12))
def test_a_spans_text_is_always_exactly_what_its_offsets_cut_out(triples: list[tuple[str, str, bool]]) -> None:
    columns = {"t": [t for t, _, _ in triples], "l": [tag for _, tag, _ in triples], "w": [space for *_, space in triples]}
    outcome = map_one("bio_to_spans", SPANS | {"trailing_whitespace": "w"}, columns)
    if isinstance(outcome, RejectedRow):
        assert outcome.reason is RowReason.EMPTY_TEXT
        return
    text, spans = outcome["text"], outcome["entities_json"]["entities"]
    assert text == "".join(token + " " * space for token, _, space in triples)
    assert all(text[span["start"] : span["end"]] == span["text"] and span["text"].strip() for span in spans)
    ends = [0, *(span["end"] for span in spans)]
    assert all(end <= span["start"] for end, span in zip(ends, spans, strict=False))
    assert len(spans) <= sum(tag != "O" for _, tag, _ in triples)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(MAPPERS)), st.dictionaries(st.sampled_from(["a", "b", "c", "x"]), json_values))
def test_no_values_can_break_a_mapper_and_each_row_becomes_exactly_one_kind(name: str, values: dict[str, Any]) -> None:
    field_map = dict(zip(MAPPERS[name].fields, "abc", strict=False)) | NEEDED_OPTIONS.get(name, {})
    outcome = map_one(name, field_map, values)
    if isinstance(outcome, dict):
        assert orjson.loads(orjson.dumps(outcome)) == outcome
    else:
        assert outcome.raw == values


def test_a_sentinel_ends_as_a_rejected_row_with_its_own_reason() -> None:
    sentinel = SentinelRow(9, 120, RowReason.INVALID_JSON, "{broken", "unexpected end")
    block = RowBlock([8, 10], [{"q": "Why?", "a": "So."}, {"q": "Why?"}], [sentinel])
    rows, rejected = mapper_of("qa_pair_passthrough", {"question": "q", "answer": "a"}).map_block(block)
    assert rows.positions == [8] and rows.raw == [{"q": "Why?", "a": "So."}]
    assert rejected == [
        RejectedRow(9, RowReason.INVALID_JSON, "unexpected end", {"head": "{broken", "byte_offset": 120}),
        RejectedRow(10, RowReason.MISSING_ANSWER, "", {"q": "Why?"}),
    ]


def test_a_mapping_that_can_not_work_is_refused_before_any_row() -> None:
    cases = {
        "unknown_mapper": ("label_to_clasification", CLASSIFICATION),
        "invalid_request": ("label_to_classification", CLASSIFICATION | {"lable": "l"}),
        "column_missing": ("label_to_classification", {"text": "t"}),
    }
    for code, (name, field_map) in cases.items():
        with pytest.raises(StageError) as refused:
            mapper_of(name, field_map)
        assert refused.value.reason.code == code
    with pytest.raises(StageError) as refused:
        mapper_of("label_to_classification", {"text": "review", "label": "l"}).check_columns(["reviews", "l"])
    assert refused.value.reason.code == "column_missing" and "did you mean reviews?" in refused.value.cause


def test_csv_cells_are_read_as_lists_and_numbers() -> None:
    assert as_list('["a", "b"]') == ["a", "b"] and as_list("a, b") is None and as_list("[broken") is None
    assert as_number(" 3.5 ") == 3.5 and as_number(True) is None and as_number("inf") is None and as_number(10**400) is None
