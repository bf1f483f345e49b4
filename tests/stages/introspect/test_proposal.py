from typing import Any

import pytest

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
