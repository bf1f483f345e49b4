"""What stands on both sides: taken out, whoever came first staying; and measured again on the written files."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.errors import StageError
from brewslm.filters.minhash import similarity
from brewslm.filters.overlap import Overlap
from brewslm.rows.manifest import PreparedRow
from brewslm.stages.prepare import leaks
from brewslm.stages.prepare.adapters import adapter_named
from tests.stages.prepare.preparing import data, failure, prepare, rejected, sides
from tests.synthetic import add_rows, own_words, reviews

WORDS = st.lists(st.sampled_from([own_words(n).split()[0] for n in range(30)]), min_size=1, max_size=60).map(" ".join)


def near(text):
    """Nearly the same: another last letter."""
    return f"{text[:-1]}z"


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=12), st.lists(WORDS, max_size=12), st.data())
def test_every_pair_that_reaches_the_threshold_is_found_and_no_other(held, asked, more):
    """Against comparing each with each; texts of both kinds, and some that differ in a word."""
    asked += [" ".join([*text.split()[:-1], more.draw(st.sampled_from(["one", "two"]))]) for text in held]
    found = Overlap(lambda: held, 0.8).matches(asked)
    assert found == [[place for place, other in enumerate(held) if similarity(text, other) >= 0.8] for text in asked]


def test_near_duplicates_never_straddle_and_the_manifest_says_that_it_was_measured(project):
    texts = reviews(60)
    twins = [{**row, "text": near(row["text"])} for row in texts]
    ids = add_rows(project, texts)
    twin_ids = add_rows(project, twins, source="twins")
    result = prepare(project)
    placed, left_out = sides(project, result), rejected(project)
    for one, twin in zip(ids, twin_ids, strict=True):
        held = [placed.get(each) == "eval" for each in (one, twin)]
        assert all(held) or not any(held) or "leak" in (left_out.get(one), left_out.get(twin))
    assert result["ledger"]["rejected"]["leak"] > 5
    leakage = data(project, result).manifest.leakage
    assert (leakage.equal_texts, leakage.near_duplicates) == (0, 0)
    assert leakage.rows_compared == result["rows"]["train"] + result["rows"]["dev"]


def test_of_a_row_that_stood_and_a_newcomer_the_newcomer_goes(project):
    texts = reviews(60)
    add_rows(project, texts)
    first = prepare(project)
    before = sides(project, first)
    twins = [{**row, "text": near(row["text"])} for row in texts]
    twin_ids = add_rows(project, twins, source="twins", import_run="import-2")
    second = prepare(project)
    after, left_out = sides(project, second), rejected(project, 2)
    assert {one: after[one] for one in before} == before
    assert {left_out[one] for one in left_out} == {"leak"} and set(left_out) <= set(twin_ids)
    assert second["ledger"]["rejected"]["leak"] > 10


def test_a_split_that_leaks_does_not_pass(project, monkeypatch):
    """Should the first search ever miss one, the measurement on the written files does not."""
    add_rows(project, [*reviews(40), *({**row, "text": near(row["text"])} for row in reviews(40))])
    monkeypatch.setattr(leaks.Leaks, "of", lambda *_arguments: set())
    error = failure(project)
    assert error.reason.code == "leakage_found" and error.reason.near_duplicates > 0
    with pytest.raises(StageError, match="prepared"):
        data(project, {"path": "prepared/v1/manifest.json", "sha256": "0"})


def test_equal_texts_are_counted_on_the_written_rows():
    _, preset = adapter_named("classification-label", lambda: "", None)
    found = leaks.Leaks(preset, 0.8).measured(
        [PreparedRow(row_id="r-1", payload={"text": "A film", "label": "a"})],
        [PreparedRow(row_id="r-2", payload={"text": "a  FILM", "label": "b"})],
    )
    assert (found.equal_texts, found.near_duplicates, found.rows_compared) == (1, 1, 1)
