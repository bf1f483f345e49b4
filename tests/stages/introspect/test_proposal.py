from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.layouts import LAYOUTS
from brewslm.mappers import mapper_of
from brewslm.sources import SourceDescription, SourceHints, connector_of
from brewslm.stages.introspect import CONFIDENCE_HIGH, Introspection, introspect

REVIEWS = [f"A film of {n} moments, some of them quite lovely indeed." for n in range(12)]


def described(rows: list[dict[str, Any]], hints: SourceHints | None = None) -> Introspection:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    source = SourceDescription(
        source_id="jsonl", locator="jsonl:/x", resolved_path="/x", approximate_total_rows=len(rows), columns=columns,
        sample_rows=rows, spread_rows=[], hints=hints,
    )  # fmt: skip
    return introspect(source)


def labelled(text: str, label: str, **more: Any) -> list[dict[str, Any]]:
    return [{text: review, label: n % 2, **more} for n, review in enumerate(REVIEWS)]


@pytest.mark.parametrize(
    ("sample", "mapper"),
    [
        ("movie-reviews", "label_to_classification"),
        ("us-addresses", "bio_to_spans"),
        ("support-qa", "qa_pair_passthrough"),
    ],
)
def test_each_sample_is_recognised_for_what_it_is(sample: str, mapper: str) -> None:
    connector, reference = connector_of(f"sample:{sample}")
    found = introspect(connector.describe(reference))
    assert found.proposal is not None
    assert found.proposal.mapper_id == mapper and not found.proposal.needs_force
    assert found.proposal.rationale and len(found.sample_rows) == 20
    assert [one.confidence for one in found.hypotheses] == sorted((one.confidence for one in found.hypotheses), reverse=True)


def test_whole_numbers_can_be_labels() -> None:
    proposal = described(labelled("review", "label")).proposal
    assert proposal is not None and proposal.field_map == {"text": "review", "label": "label"}
    assert proposal.confidence >= CONFIDENCE_HIGH


def test_two_columns_that_could_be_the_text_make_a_proposal_unsure() -> None:
    sure = described(labelled("first", "stars"))
    unsure = described([row | {"second": f"{row['first']} Or not."} for row in labelled("first", "stars")])
    assert sure.proposal is not None and unsure.proposal is not None
    assert unsure.proposal.confidence < CONFIDENCE_HIGH < sure.proposal.confidence
    assert unsure.proposal.needs_force and "2 columns could be the text: first, second" in unsure.proposal.warnings


def test_a_context_column_speaks_against_a_plain_question_and_answer() -> None:
    rows = [{"question": f"{text} Why?", "answer": f"Because: {text}"} for text in REVIEWS]
    plain, grounded = described(rows), described([row | {"context": "Much to read here."} for row in rows])
    assert plain.proposal is not None and plain.proposal.confidence == 0.95
    assert grounded.proposal is not None and grounded.proposal.needs_force


def test_tokens_and_tags_of_different_lengths_are_counted_against_it() -> None:
    rows = [{"tokens": ["a", "b"], "labels": ["O", "B-X"]}] * 6 + [{"tokens": ["a"], "labels": ["O", "O"]}] * 6
    proposal = described(rows).proposal
    assert proposal is not None and proposal.needs_force
    assert proposal.warnings == ["tokens and tags differ in number in 6 of 12 rows"]


def proposed(rows: list[dict[str, Any]]) -> tuple[str, dict[str, str], bool]:
    found = described(rows).proposal
    assert found is not None
    return found.mapper_id, found.field_map, found.needs_force


def test_labels_as_integers_are_sure_enough_for_auto_also_out_of_csv() -> None:
    for cell in (int, str):
        rows = [{"text": review, "label": cell(n % 2)} for n, review in enumerate(REVIEWS)]
        assert proposed(rows) == ("label_to_classification", {"text": "text", "label": "label"}, False)


def test_alpaca_maps_its_input_and_squad_the_texts_of_its_answers() -> None:
    alpaca = [{"instruction": text, "input": "" if n % 3 else "x y", "output": f"So: {text}"} for n, text in enumerate(REVIEWS)]
    field_map = {"question": "instruction", "input": "input", "answer": "output"}
    assert proposed(alpaca) == ("qa_pair_passthrough", field_map, False)
    squad = [
        {"question": f"{text}?", "context": text * 4, "answers": {"text": ["one"], "answer_start": [n]}}
        for n, text in enumerate(REVIEWS)
    ]
    field_map = {"question": "question", "context": "context", "answer": "answers.text"}
    assert proposed(squad) == ("rag_passthrough", field_map, False)


def test_values_that_stand_in_the_text_make_fields() -> None:
    rows = [
        {"text": f"Bill INV-{n} of {text}", "number": f"INV-{n}", "about": text.split()[3]} for n, text in enumerate(REVIEWS, 100)
    ]
    rows = [{**row, "about": f"film {n}"} | {"text": f"{row['text']} film {n}"} for n, row in enumerate(rows)]
    assert proposed(rows) == ("kv_to_structured", {"text": "text", "fields": "number,about"}, False)
    apart = [row | {"text": REVIEWS[0]} for row in rows]
    assert "kv_to_structured" not in [one.mapper_id for one in described(apart).hypotheses]


def test_a_pair_without_its_prompt_and_a_direction_that_nobody_named_need_force() -> None:
    pairs = [{"chosen": text, "rejected": f"Not {text}"} for text in REVIEWS]
    (pair,) = (one for one in described(pairs).hypotheses if one.mapper_id == "preference_pair")
    assert proposed(pairs)[2] and pair.warnings == ["no column holds the prompt, so every row would be rejected"]
    languages = [{"translation": {"en": text, "de": f"So: {text}"}} for text in REVIEWS]
    field_map = {"source_text": "translation.en", "target_text": "translation.de"}
    assert proposed(languages) == ("seq2seq_pair", field_map, True)


def test_what_a_mapping_would_leave_out_makes_it_unsure() -> None:
    talk = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]
    assert proposed([{"messages": talk}] * 12) == ("chat_messages_passthrough", {"messages": "messages"}, False)
    assert proposed([{"messages": talk, "image": f"{n}.png"} for n in range(12)])[2]
    assert not proposed([{"text": text} for text in REVIEWS])[2]
    assert proposed([{"text": text, "labels": [1, 2]} for text in REVIEWS])[2]


def test_every_hypothesis_is_one_that_its_mapper_accepts() -> None:
    for layout in LAYOUTS:
        for one in described(layout.rows()).hypotheses:
            mapper_of(one.mapper_id, one.field_map).check_columns(layout.columns)


cells = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=3), max_size=2)
    | st.dictionaries(st.sampled_from(["text", "path", "role", "content", "en", "de"]), st.text(max_size=3) | st.none())
)  # fmt: skip
column_names = st.sampled_from(
    ["text", "label", "question", "answers", "context", "image", "tokens", "tags", "messages", "chosen", "rejected"]
)


@given(st.lists(st.dictionaries(column_names, cells, max_size=5), max_size=6))
def test_no_rows_can_break_an_introspection(rows: list[dict[str, Any]]) -> None:
    found = described(rows)
    assert all(0 <= one.confidence <= 0.95 for one in found.hypotheses)


def test_columns_that_suit_no_mapper_give_no_proposal() -> None:
    found = described([{"x": n, "y": n / 3} for n in range(12)])
    assert found.proposal is None and found.hypotheses == []


def test_what_a_sample_says_of_itself_joins_the_field_map_of_its_own_mapper_alone() -> None:
    hints = SourceHints(mapper="label_to_classification", field_map={"neutral_band": "0.5"})
    found = described(labelled("text", "label"), hints).proposal
    assert found is not None and found.field_map["neutral_band"] == "0.5" and "neutral_band=0.5" in found.rationale
    other = described(labelled("text", "label"), SourceHints(mapper="bio_to_spans", field_map={"x": "1"})).proposal
    assert other is not None and "x" not in other.field_map


def test_many_labels_are_warned_of() -> None:
    rows = [{"text": f"{text} ({n})", "label": f"class {n % 15}"} for n, text in enumerate(REVIEWS * 5)]
    proposal = described(rows).proposal
    assert proposal is not None and any("15 labels were seen" in warning for warning in proposal.warnings)


def mapper_and_fields(rows: list[dict[str, Any]]) -> tuple[str, dict[str, str]]:
    return proposed(rows)[:2]


def asked() -> list[dict[str, Any]]:
    return [{"question": f"{text} Why?", "answer": f"Because: {text}"} for text in REVIEWS]


def test_a_class_is_no_surer_than_its_own_column_however_plain_the_text_is() -> None:
    """The mail that taught it: a folder beside a body, a subject and a sender is perhaps no class at all."""
    rows = [
        {"Body": text, "Subject": f"Film {n}", "From": f"{n}@example.org", "Folder": "work" if n % 2 else "home"}
        for n, text in enumerate(REVIEWS)
    ]
    assert proposed(rows) == ("label_to_classification", {"text": "Body", "label": "Folder"}, True)
    named = [{"body": row["Body"], "label": row["Folder"]} for row in rows]
    assert proposed(named) == ("label_to_classification", {"text": "body", "label": "label"}, False)


@pytest.mark.parametrize(
    "beside",
    [
        {"label": True},
        {"background": "Something that has to be read before anybody can answer it."},
        {"choices": ["one", "two"]},
        {"image": "a.png"},
        {"images": ["a.png", "b.png"]},
        {"table": {"rows": ["some words of a table that the question is about"] * 4}},
    ],
    ids=lambda beside: next(iter(beside)),
)
def test_what_a_question_is_left_without_makes_it_unsure(beside: dict[str, Any]) -> None:
    assert not proposed(asked())[2]
    changing = [{name: (n % 2 == 0) if value is True else value for name, value in beside.items()} for n in range(len(REVIEWS))]
    found = described([row | more for row, more in zip(asked(), changing, strict=True)]).hypotheses
    (qa,) = (one for one in found if one.mapper_id == "qa_pair_passthrough")
    assert qa.confidence < CONFIDENCE_HIGH and (qa.warnings or "context" in found[0].field_map)


def test_a_text_that_was_put_together_from_others_is_no_candidate() -> None:
    rows = [
        {
            "instruction": f"Do {text}",
            "input": f"Given {text}",
            "output": f"So {text}",
            "prompt": f"Task: Do {text}\nGiven {text}\n",
        }
        for text in REVIEWS
    ]
    field_map = {"question": "instruction", "input": "input", "answer": "output"}
    assert proposed(rows) == ("qa_pair_passthrough", field_map, False)


def test_the_only_other_text_is_guessed_to_be_the_context_the_answer_or_the_source() -> None:
    long = [" ".join(REVIEWS) + str(n) for n in range(len(REVIEWS))]
    rag = [row | {"plot": text} for row, text in zip(asked(), long, strict=True)]
    assert proposed(rag) == ("rag_passthrough", {"question": "question", "context": "plot", "answer": "answer"}, True)
    answer = [{"prompt": f"Tell of {text}", "text": told} for text, told in zip(REVIEWS, long, strict=True)]
    assert proposed(answer) == ("qa_pair_passthrough", {"question": "prompt", "answer": "text"}, True)
    source = [{"notes": told, "summary": text} for text, told in zip(REVIEWS, long, strict=True)]
    assert proposed(source) == ("seq2seq_pair", {"source_text": "notes", "target_text": "summary"}, True)


def test_answers_are_found_where_objects_list_them() -> None:
    rows = [row | {"passage": row["answer"] * 9, "answers_spans": {"types": [1], "spans": ["x"]}} for row in asked()]
    rows = [{name: value for name, value in row.items() if name != "answer"} for row in rows]
    field_map = {"question": "question", "context": "passage", "answer": "answers_spans.spans"}
    assert mapper_and_fields(rows) == ("rag_passthrough", field_map)


def test_booleans_that_speak_of_space_say_where_tokens_are_joined() -> None:
    rows = [{"tokens": ["Ada", "came"], "space_after": [True, False], "ner_tags": ["B-PER", "O"]}] * 6
    field_map = {"tokens": "tokens", "labels": "ner_tags", "trailing_whitespace": "space_after"}
    assert proposed(rows) == ("bio_to_spans", field_map, False)


def test_a_path_and_the_object_that_it_decodes_to_are_one_recording() -> None:
    rows = [{"file": f"clips/{n}.wav", "audio": {"path": f"{n}.wav"}, "text": text} for n, text in enumerate(REVIEWS)]
    assert proposed(rows) == ("audio_transcript", {"audio": "audio", "transcript": "text"}, False)
    apart = [row | {"file": f"clips/other-{n}.wav"} for n, row in enumerate(rows)]
    assert proposed(apart)[2]


def test_the_class_of_a_part_of_the_text_is_not_that_of_the_text() -> None:
    rows = labelled("text", "label")
    assert not proposed(rows)[2]
    assert proposed([row | {"aspect": " ".join(row["text"].split()[3:5])} for row in rows])[2]


def test_many_class_ids_are_told_from_counts_and_measures() -> None:
    rows = [{"text": f"{REVIEWS[n % 12]} {n}", "label": n % 70} for n in range(210)]
    assert proposed(rows) == ("label_to_classification", {"text": "text", "label": "label"}, False)
    assert mapper_and_fields([row | {"label": 1000 * row["label"]} for row in rows]) == ("text_only", {"text": "text"})


def test_a_sample_of_one_label_says_so() -> None:
    found = described([{"text": text, "label": 0} for text in REVIEWS]).proposal
    assert found is not None and any("only one label was seen" in warning for warning in found.warnings)


def test_another_mapping_that_fits_as_well_is_named_and_lowers_the_first() -> None:
    talk = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]
    found = described([row | {"messages": talk} for row in asked()]).proposal
    assert found is not None and found.needs_force
