"""What is left of a forgotten row's line: who it is, as many bytes as before, and no text."""

import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from brewslm.rows.forgetting import GONE, Forgetting, is_forgotten, is_telling, shrunk, texts_of

TEXT = 'the okapi said "no" — to\nall of us'
ROW = {"row_id": "rabc-1", "task_profile": "qa", "payload": {"question": TEXT, "n": 3}, "position": 1, "import_run": "import-1"}
FORGETTING = Forgetting(frozenset(["rabc-1"]), (TEXT,))
JSON = st.recursive(
    st.text() | st.integers(-(2**53), 2**53) | st.none() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_line_keeps_its_length_and_its_identity_and_loses_its_text():
    line = orjson.dumps(ROW) + b"\n"
    made = FORGETTING.line(line)
    assert len(made) == len(line) and b"okapi" not in made
    assert orjson.loads(made) == ROW | {"payload": {}} and is_forgotten(orjson.loads(made)["payload"])
    assert FORGETTING.line(made) == made


@given(st.dictionaries(st.text(min_size=1), JSON, min_size=1))
def test_whatever_a_row_says_its_line_never_grows_and_stays_a_line(payload):
    line = orjson.dumps(ROW | {"payload": payload, "detail": "d", "raw": payload}) + b"\n"
    made = FORGETTING.line(line)
    assert len(made) == len(line) and made.endswith(b"\n") and orjson.loads(made)["row_id"] == "rabc-1"
    assert orjson.loads(made)["payload"] == {} == orjson.loads(made)["raw"]


def test_another_rows_line_is_left_alone_though_it_says_the_same():
    other = orjson.dumps(ROW | {"row_id": "rabc-11"}) + b"\n"
    assert FORGETTING.line(other) == other
    assert b"okapi" not in Forgetting(FORGETTING.row_ids, (TEXT,), in_others=True).line(other)


def test_what_quotes_a_row_is_replaced_in_every_spelling():
    for quoted in (TEXT, json.dumps(TEXT), json.dumps({"a": TEXT}), json.dumps(json.dumps({"a": TEXT}))):
        said = FORGETTING.value({"prompt": f"Answer: {quoted}", "step": 3})
        assert said == {"prompt": GONE, "step": 3}
        assert b"okapi" not in FORGETTING.text(f"log {quoted} end".encode())
    assert "okapi" not in FORGETTING.text(" ".join(TEXT.split()).encode()).decode()
    exemplar = {"clusters": [{"row_ids": ["rabc-1"], "exemplars": [{"row_id": "rabc-1", "quote": "the ok…"}]}]}
    assert FORGETTING.value(exemplar)["clusters"] == [{"row_ids": ["rabc-1"], "exemplars": [{"row_id": "rabc-1", "quote": ""}]}]


def test_only_what_tells_a_row_is_looked_for_everywhere():
    texts = ("positive", "a few words that say it", "x" * 32, "very_positive", GONE)
    assert [is_telling(one) for one in texts] == [False, True, True, False, False]
    assert set(texts_of(ROW)) == {TEXT}
    rejected = {"row_id": "r-1", "position": 1, "reason": "missing_text", "detail": "okapi", "raw": {"a": 1}}
    assert shrunk(rejected) == {"row_id": "r-1", "position": 1, "reason": "missing_text", "detail": "", "raw": {}}
    assert shrunk({"row_id": "r-1", "reason": "The okapi is wrong.", "correct": True})["reason"] == ""
