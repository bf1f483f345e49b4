import re
from collections import Counter

import pytest

from brewslm.errors import StageError
from brewslm.mappers import mapper_of
from brewslm.media import MediaFolder
from brewslm.rows import RawRow, SentinelRow
from brewslm.sources import connector_of
from brewslm.sources.base import blocks_of
from brewslm.sources.sample_readers import bio, tagged_xml


def rows_of(name: str) -> list[RawRow | SentinelRow]:
    connector, reference = connector_of(f"sample:{name}")
    return list(connector.load(reference))


def test_the_movie_reviews_are_all_there_and_labelled_by_the_sign_of_their_score() -> None:
    rows = [row.values for row in rows_of("movie-reviews") if isinstance(row, RawRow)]
    assert len(rows) == 10_605
    assert list(rows[0]) == ["id", "text", "score", "label"]
    assert all((row["label"] == "positive") == (row["score"] > 0) for row in rows)
    assert sum(row["label"] == "neutral" for row in rows) == sum(row["score"] == 0 for row in rows) == 37


def test_the_addresses_become_spans_with_exact_offsets() -> None:
    mapper = mapper_of("bio_to_spans", {name: name for name in ("tokens", "labels", "trailing_whitespace")})
    mapped = [mapper.map_block(block) for block in blocks_of(rows_of("us-addresses"))]
    payloads = [payload for rows, _ in mapped for payload in rows.payloads]
    assert len(payloads) == 1513 and not any(rejected for _, rejected in mapped)
    spans = [(payload["text"], span) for payload in payloads for span in payload["entities_json"]["entities"]]
    assert len(spans) > 8000
    assert all(text[span["start"] : span["end"]] == span["text"] for text, span in spans)
    assert not any(re.search(r"[,;\s]$|^\s", span["text"]) for _, span in spans)
    assert any(payload["text"] == "9265 Huer Huero Road, Creston, 93432" for payload in payloads)


def test_the_support_questions_have_answers_and_the_one_entry_that_is_none_is_a_sentinel() -> None:
    rows = rows_of("support-qa")
    sentinels = [row for row in rows if isinstance(row, SentinelRow)]
    assert len(rows) == 2026 and [row.reason.value for row in sentinels] == ["not_an_object"]
    mapper = mapper_of("qa_pair_passthrough", {"question": "question", "answer": "answer"})
    assert sum(len(mapper.map_block(block)[1]) for block in blocks_of(rows)) == 1  # the sentinel
    assert all({"question", "answer", "category"} <= row.values.keys() for row in rows if isinstance(row, RawRow))


def test_the_prompts_that_should_be_refused_are_there_with_their_kind_of_harm() -> None:
    rows = [row.values for row in rows_of("do-not-answer") if isinstance(row, RawRow)]
    assert len(rows) == 939
    assert Counter(row["harm_category"] for row in rows)["malicious_uses"] == 243
    assert all(row["prompt"].strip() for row in rows)


def test_the_recordings_come_with_their_transcripts_and_can_be_heard() -> None:
    rows = [row.values for row in rows_of("librivox") if isinstance(row, RawRow)]
    taken = [MediaFolder(None, None).take(row["audio"], "audio") for row in rows]
    assert [one["sample_rate"] for one in taken if isinstance(one, dict)] == [16000] * 5
    assert round(sum(one["seconds"] for one in taken if isinstance(one, dict)), 1) == 24.7
    assert rows[1]["transcript"] == "he was not an ill disposed young man"


def test_an_unknown_sample_is_refused_with_a_hint() -> None:
    connector, _ = connector_of("sample:x")
    with pytest.raises(StageError) as refused:
        connector.file("movie-review")
    assert refused.value.reason.code == "source_not_found" and "did you mean movie-reviews?" in refused.value.cause


def test_a_comma_belongs_to_a_span_only_when_the_span_goes_on_after_it() -> None:
    xml = b"<c><a><Name>Acme,</Name> <Name>Inc,</Name> <Zip>1</Zip>\n<NotAddress>x</NotAddress></a></c>"
    (row,) = tagged_xml([xml])
    assert row["tokens"] == ["Acme", ",", "Inc", ",", "1", "x"]
    assert row["labels"] == ["B-Name", "I-Name", "I-Name", "O", "B-Zip", "O"]
    assert row["trailing_whitespace"] == [False, True, False, True, True, False]


def test_neighbours_with_one_tag_are_one_span() -> None:
    assert bio(["A", "A", "O", "A", "B"]) == ["B-A", "I-A", "O", "B-A", "B-B"]
