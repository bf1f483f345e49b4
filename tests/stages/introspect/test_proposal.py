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
