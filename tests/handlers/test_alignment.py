"""What a model wrote, read and placed in the text."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from brewslm.handlers.alignment import align, read, written


def entity(type_, text):
    return {"type": type_, "text": text}


def places(text, *entities):
    spans, unaligned = align(text, [entity(*one) for one in entities])
    return [(span["type"], span["start"], span["end"]) for span in spans], unaligned


def test_the_same_words_twice_are_placed_in_order():
    assert places("main and main", ("A", "main"), ("B", "main")) == ([("A", 0, 4), ("B", 9, 13)], 0)


def test_an_entity_is_looked_for_after_the_one_before_it():
    assert places("elm oak elm", ("A", "oak"), ("B", "elm")) == ([("A", 4, 7), ("B", 8, 11)], 0)


def test_an_entity_out_of_order_is_found_before_the_last_one():
    assert places("12 Elm St", ("Street", "Elm"), ("Number", "12")) == ([("Number", 0, 2), ("Street", 3, 6)], 0)


def test_whole_words_come_first():
    assert places("12 Elm St E", ("Direction", "E")) == ([("Direction", 10, 11)], 0)
    assert places("12Elm", ("Street", "Elm")) == ([("Street", 2, 5)], 0)


def test_what_the_text_does_not_hold_is_counted():
    assert places("12 Elm St", ("City", "Springfield"), ("Number", "12")) == ([("Number", 0, 2)], 1)


def test_no_place_is_used_twice():
    assert places("Elm", ("A", "Elm"), ("B", "Elm"), ("C", "lm")) == ([("A", 0, 3)], 2)


def test_whole_objects_before_the_fault_are_kept_and_the_fault_is_counted():
    entities, problems = read('[{"type":"A","text":"x"}, {"type":"B","text":"y"},{"type":"C","te')
    assert entities == [entity("A", "x"), entity("B", "y")]
    assert problems == {"invalid_json": 1}


def test_babble_is_invalid_json_and_no_entity():
    for raw in ("", "Sure! Here are the entities:", '{"type":"A","text":"x"}', "[" * 100_000, "3"):
        assert read(raw) == ([], {"invalid_json": 1})


def test_entries_without_type_and_text_are_malformed():
    entities, problems = read('[{"type":"A"},{"type":"A","text":""},{"type":"A","text":3},"x",{"type":"A","text":"y","more":1}]')
    assert entities == [entity("A", "y")]
    assert problems == {"malformed": 4}


@given(st.text())
def test_reading_never_fails(raw):
    read(raw)
    read("[" + raw)


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=5), max_size=6))
def test_spans_hold_their_words_and_never_overlap(text, words):
    spans, unaligned = align(text, [entity("A", word) for word in words])
    assert len(spans) + unaligned == len(words)
    assert all(text[span["start"] : span["end"]] == span["text"] for span in spans)
    assert all(one["end"] <= other["start"] for one, other in pairwise(spans))


@given(st.lists(st.sampled_from(["elm", "oak", "12", "st", "é", 'a"b', "n.", "(x"]), min_size=1, max_size=12))
def test_a_text_whose_every_word_is_a_span_comes_back_from_what_is_written(words):
    text, spans, start = " ".join(words), [], 0
    for word in words:
        spans.append({"type": "T", "start": start, "end": start + len(word), "text": word})
        start += len(word) + 1
    entities, problems = read(written(spans))
    assert (align(text, entities), problems) == ((spans, 0), {})
    assert " " not in written(spans).replace(json.dumps(text), "")
