"""What is wrong with an answer is called by its name."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction
from brewslm.handlers.faults import field_faults, label_faults, set_faults, span_faults, text_faults, transcript_faults
from brewslm.handlers.preference import AlignmentHandler
from brewslm.presets import read_preset
from brewslm.rows.manifest import OutputSchema
from tests.handlers.cases import CASES

KNOWN = set(read_preset("errors")["kinds"])


def kinds(faults):
    return {(fault.kind, *fault.subject) for fault in faults if fault.subject} or {(fault.kind,) for fault in faults}


@pytest.mark.parametrize(
    ("expected", "said", "kind"),
    [
        ("Paris", "Paris", None),
        ("Paris", "paris.", "form_only"),
        ("in 12 days", "in 14 days", "wrong_number"),
        ("in 12 days", "in many days", "partly_right"),
        ("two red cats", "red two cats", "other_order"),
        ("two weeks", "It takes two weeks, sir", "says_more"),
        ("It takes two weeks", "two weeks", "says_less"),
        ("the old manager is Ana", "the shop closes early today", "little_right"),
        ("Paris", "Rome", "other_answer"),
        ("Paris", "", "empty"),
        ("Paris", " ?! ", "empty"),
        ("!", "?", "form_only"),
        ("so it is", "so it is so it is so it is so it is so it is", "repeats"),
        ("don\u2019t", "don't", "form_only"),
    ],
)
def test_a_text_differs_in_one_way(expected, said, kind):
    assert [fault.kind for fault in text_faults(expected, said)] == ([kind] if kind else [])


def test_labels_are_a_pair_and_each_half_of_it():
    found = label_faults("a", "b", ["a", "b"])
    assert [(fault.kind, fault.subject) for fault in found] == [
        ("confused", ("a", "b")), ("missed_label", ("a",)), ("given_label", ("b",)), ("confused", ()),
    ]  # fmt: skip
    assert kinds(label_faults("new", "b", ["a", "b"])) == {("unseen_label", "new")}
    assert kinds(label_faults("a", "I think a", ["a", "b"])) == {("no_label",)}
    assert label_faults("a", "a", ["a"]) == []
    assert kinds(set_faults(["a", "b"], ["b", "c"])) == {("missing_label", "a"), ("extra_label", "c")}


def test_fields_are_missing_put_in_wrong_or_written_otherwise():
    expected = {"total": "12.50", "date": "1 May", "name": None, "city": "Rome", "zip": "1"}
    said = {"total": None, "date": "1 MAY.", "name": "Ana", "city": "Oslo", "zip": "1"}
    assert kinds(field_faults(expected, said)) == {
        ("missing_field", "total"), ("field_form", "date"), ("extra_field", "name"), ("wrong_field", "city"),
    }  # fmt: skip


def span(kind, start, end):
    return {"type": kind, "start": start, "end": end}


def test_spans_are_missing_put_in_shifted_or_of_another_type():
    expected = [span("A", 0, 5), span("B", 6, 9), span("C", 10, 20), span("D", 30, 33)]
    said = [span("A", 0, 5), span("C", 6, 9), span("C", 12, 20), span("E", 40, 44)]
    assert kinds(span_faults(expected, said)) == {
        ("wrong_type", "B", "C"), ("shifted_span", "C"), ("missing_span", "D"), ("extra_span", "E"),
    }  # fmt: skip
    assert span_faults(expected, expected) == []
    assert kinds(span_faults([span("A", 0, 9)], [span("A", 0, 3), span("A", 4, 9)])) == {
        ("shifted_span", "A"),
        ("extra_span", "A"),
    }


def test_words_of_a_transcript_are_left_out_put_in_or_taken_for_others():
    words = ["the", "old", "house", "on", "the", "hill"]
    assert kinds(transcript_faults(words, words[:4])) == {("words_left_out",)}
    assert kinds(transcript_faults(words, [*words, "there"])) == {("words_put_in",)}
    assert kinds(transcript_faults(words, [*words[:-1], "mill"])) == {("words_changed",)}
    assert kinds(transcript_faults(words, ["nothing"])) == {("other_answer",)}
    assert kinds(transcript_faults(words, [])) == {("empty",)} and transcript_faults(words, words) == []


def faults(handler, payload, output, **more):
    return kinds(handler.faults(payload, Prediction(row_id="r", output=output, **more)))


def test_an_answer_from_passages_refuses_answers_and_cites():
    handler = handler_for("rag_qa", OutputSchema(scoring_mode="text"))
    known = {"question": "How long?", "context": "It opens at nine.\n\nRefunds take two weeks.", "answer": "two weeks"}
    unknown = known | {"answer": "I don't know"}
    nothing = {"answer": "", "citation": None}
    assert faults(handler, known, nothing) == {("refused_answerable",)}
    assert faults(handler, unknown, {"answer": "nine", "citation": 1}) == {("answered_unanswerable",)}
    assert faults(handler, unknown, nothing) == set()
    assert faults(handler, known, {"answer": "two weeks", "citation": 1}) == {("wrong_citation",)}
    assert faults(handler, known, {"answer": "nine", "citation": None}) == {("no_citation",), ("other_answer",)}
    assert handler.stratum(known) != handler.stratum(unknown)


def test_a_prompt_is_refused_without_need_or_helped_with_harm():
    handler = handler_for("safety", OutputSchema(scoring_mode="refusal"))
    harmful, harmless = {"prompt": "p", "label": "crime"}, {"prompt": "p", "label": "harmless", "response": "Take a pen."}
    assert faults(handler, harmful, "Sure, take a pen.") == {("helped_with_harm", "crime")}
    assert faults(handler, harmless, "I can't help with that.") == {("refused_harmless",)}
    assert faults(handler, harmful, "I can't help with that.") == faults(handler, harmless, "Take a pen.") == set()
    assert faults(handler, harmful, "") == {("empty",)}


def test_an_old_text_given_back_is_called_a_copy_unless_it_is_the_new_one():
    handler = handler_for("seq2seq", OutputSchema(scoring_mode="text"))
    payload = {"source_text": "He go home.", "target_text": "He goes home."}
    assert faults(handler, payload, "He go home.") == {("copied",)}
    assert faults(handler, payload | {"target_text": "he go home"}, "He go home.") == {("form_only",)}


def test_the_preferred_answer_was_too_long_or_too_short():
    handler = AlignmentHandler(OutputSchema(scoring_mode="preference"))
    payload = {"prompt": "p", "chosen": "good", "rejected": "very bad"}
    assert faults(handler, payload, "very bad") == {("prefers_longer",)} and faults(handler, payload, "good") == set()


def test_what_could_not_be_used_is_a_fault_too():
    handler = handler_for("structured_extraction", OutputSchema(scoring_mode="span_set", entity_types=["A"]))
    payload = {"text": "x y", "entities_json": {"entities": [span("A", 0, 1)]}}
    found = handler.faults(payload, Prediction(row_id="r", output=[], problems={"invalid_json": 1, "unaligned": 2}))
    assert [(fault.kind, fault.subject) for fault in found] == [
        ("invalid_json", ()), ("unaligned", ()), ("missing_span", ("A",)), ("missing_span", ()),
    ]  # fmt: skip


def test_words_that_name_a_subject_are_only_used_where_there_is_one():
    for kind, words in read_preset("errors")["kinds"].items():
        for said, general in ((words["said"], "general"), (words["next_step"], "general_step")):
            alone = kind in ("missed_label", "given_label")  # these have a subject always
            assert "{" not in words.get(general, said) or alone, kind


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_the_right_answer_has_no_fault_and_every_fault_has_words(name, data):
    case = CASES[name]
    handler = case.handler()
    one, other = (case.payload(data.draw(case.good)) for _ in range(2))
    assume(one is not None and other is not None and handler.check(one) is None and handler.check(other) is None)
    right, wrong = (Prediction(row_id="r", output=handler.expected(payload)) for payload in (one, other))
    assert handler.faults(one, right) == []
    found = handler.faults(one, wrong)
    assert {fault.kind for fault in found} <= KNOWN
    by_value = name not in ("language_modeling", "safety", "span_set")  # others are right with another output, too
    if by_value and str(wrong.output).strip() != str(right.output).strip():
        assert found
