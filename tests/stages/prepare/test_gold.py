"""Gold sets: drawn, judged by two people, locked by a hash, and kept out of train."""

import json
from collections import Counter

import pytest
from sklearn.metrics import cohen_kappa_score

from brewslm.errors import StageError
from brewslm.observe.gold import gold_rows, gold_set
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.rows.gold import GoldData, GoldFile, RowReview, state_of
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.prepare.against_gold import AgainstGold
from brewslm.stages.prepare.gold import GoldDraftRequest, GoldImportRequest, GoldLockRequest, GoldReviewRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.records import gold_set_of
from tests.stages.prepare.preparing import data, events, failure, prepare, rejected, sides
from tests.synthetic import add_rows, own_words, reviews

NAME = "films"


def draft(project):
    return call("test", GoldDraftRequest(project=project, name=NAME)).result


def imported(project, **asked):
    return call("test", GoldImportRequest(project=project, name=NAME, **asked)).result


def judge(project, reviewer, verdicts, settle=False):
    """Judge rows: a verdict, or the fields of a correction, by row id."""
    said = [
        {"row_id": one, "verdict": "corrected", "fields": verdict}
        if isinstance(verdict, dict)
        else {"row_id": one, "verdict": verdict}
        for one, verdict in verdicts.items()
    ]
    return call("test", GoldReviewRequest(project=project, name=NAME, reviewer=reviewer, reviews=said, settle=settle)).result


def lock(project, **asked):
    return call("test", GoldLockRequest(project=project, name=NAME, **asked)).result


def refused(operation, *arguments, **asked):
    with pytest.raises(RunFailed) as failed:
        operation(*arguments, **asked)
    error = failed.value.error
    assert error.next_step, error.reason.code
    return error


def ids(project, **asked):
    return [row.row_id for row in gold_rows(project, NAME, limit=1000, **asked)]


def locked_file(project, version=1):
    with reading() as session:
        found = gold_set_of(session, project, NAME, version)
    return GoldFile(name=NAME, version=version, path=project_folder(project) / found.path, sha256=found.sha256)


def accepted_by_two(project):
    rows = dict.fromkeys(ids(project), "accepted")
    for reviewer in ("ana", "ben"):
        judge(project, reviewer, rows)
    return list(rows)


@pytest.fixture
def drafted(project):
    """A draft that holds the whole eval split of 20 rows."""
    add_rows(project, reviews(100))
    prepare(project)
    assert draft(project) == {"gold_set": "films@1", "rows": 0}
    imported(project)
    return project


def test_a_draft_is_drawn_reviewed_and_locked_by_its_hash(drafted):
    held_out = [row.row_id for row in data(drafted, prepare(drafted)).eval()]
    assert ids(drafted) == held_out
    first, second, third, *others = held_out
    judge(drafted, "ana", {first: "rejected", second: {"label": "negative"}} | dict.fromkeys([third, *others], "accepted"))
    judge(drafted, "ben", {first: "rejected", second: "accepted"} | dict.fromkeys([third, *others], "accepted"))
    states = {row.row_id: row.state for row in gold_rows(drafted, NAME)}
    assert (states[first], states[second], states[third]) == ("rejected", "disputed", "accepted")
    judge(drafted, "cleo", {second: {"label": "negative"}}, settle=True)
    result = lock(drafted)
    assert (result["rows"], result["corrected"], result["reviewers"]) == (19, 1, ["ana", "ben", "cleo"])
    assert result["ledger"] == {"rows_in": 20, "rows_out": 19, "rejected": {"gold_rejected": 1}}
    gold = GoldData(locked_file(drafted))
    rows = gold.rows()
    assert [row.row_id for row in rows] == held_out[1:]
    assert rows[0].payload["label"] == "negative" and gold.sha256 == result["sha256"]
    assert sum(1 for _ in gold.payloads()) == 20  # what the corrected row said before must not be trained on either
    told = dict(events(drafted))
    assert told["gold_set_drafted"]["rows"] == 0 and told["gold_rows_imported"]["ledger"] == {
        "rows_in": 20,
        "rows_out": 20,
        "not_drawn": 0,
    }
    assert told["gold_set_locked"] | {"kappa": None} == {
        "gold_set": "films@1", "sha256": result["sha256"], "rows": 19, "rejected": 1, "reviewers": 3, "kappa": None,
    }  # fmt: skip
    assert told["gold_rows_reviewed"]["verdicts"] == {"corrected": 1} and told["gold_rows_reviewed"]["settled"]
    assert "film" not in json.dumps([payload for code, payload in events(drafted) if code.startswith("gold_")]).replace(
        "films", ""
    )


def test_two_reviewers_agree_as_far_as_kappa_says_and_settling_changes_it_not(drafted):
    rows = {row.row_id: row.payload["label"] for row in gold_rows(drafted, NAME)}
    other = {"positive": "negative", "negative": "positive"}
    differing = list(rows)[:5]
    judge(drafted, "ana", dict.fromkeys(rows, "accepted"))
    judge(drafted, "ben", {one: {"label": other[rows[one]]} if one in differing else "accepted" for one in rows})
    before = gold_set(drafted, NAME).agreement
    judge(drafted, "cleo", dict.fromkeys(differing, "accepted"), settle=True)
    (found,) = gold_set(drafted, NAME).agreement
    assert [found] == before
    assert (found.reviewers, found.n, found.agreed) == (("ana", "ben"), 20, 15)
    bens = [other[label] if one in differing else label for one, label in rows.items()]
    assert found.kappa == pytest.approx(cohen_kappa_score(list(rows.values()), bens))
    assert found.low < found.kappa < found.high
    assert lock(drafted)["agreement"] == [found.model_dump(mode="json")]


def test_a_reviewer_is_shown_what_waits_and_not_what_others_said(drafted):
    first, *others = ids(drafted)
    judge(drafted, "ana", {first: {"label": "a secret"}})
    assert ids(drafted, reviewer="ana") == others
    waiting = gold_rows(drafted, NAME, reviewer="ben")
    assert len(waiting) == 20 and all(not row.reviews and row.state == "unreviewed" for row in waiting)
    assert "a secret" not in "".join(row.model_dump_json() for row in waiting)


@pytest.mark.parametrize(
    ("reviews_", "state"),
    [
        ([], "unreviewed"),
        ([RowReview("a", "accepted"), RowReview("b", "accepted")], "accepted"),
        ([RowReview("a", "accepted"), RowReview("b", "rejected")], "disputed"),
        ([RowReview("a", "corrected", {"x": 1}), RowReview("b", "corrected", {"x": 1})], "corrected"),
        ([RowReview("a", "corrected", {"x": 1}), RowReview("b", "corrected", {"x": 2})], "disputed"),
        ([RowReview("a", "accepted"), RowReview("b", "rejected"), RowReview("a", "rejected", settles=True)], "rejected"),
    ],
)
def test_the_state_of_a_row_is_what_its_reviewers_make_of_it(reviews_, state):
    assert state_of(reviews_)[0] == state


def test_a_locked_gold_set_stays_out_of_train_whatever_is_drawn(project):
    texts = reviews(60)
    own = add_rows(project, texts)
    prepare(project, eval_rows=10)
    draft(project)
    imported(project)
    gold = set(accepted_by_two(project))
    lock(project)
    twins = [{**row, "text": f"{row['text'][:-1]}z"} for row in texts]
    copies = [
        {**row, "text": row["text"].upper(), "label": {"positive": "negative", "negative": "positive"}[row["label"]]}
        for row in texts
    ]
    others = add_rows(project, twins, source="twins", import_run="import-2") + add_rows(project, copies, "copies", "import-3")
    for seed in range(3):
        result = prepare(project, resplit=True, seed=seed, eval_rows=10)
        placed, left_out = sides(project, result), rejected(project, result["version"])
        trained = {one for one, side in placed.items() if side in ("train", "dev")}
        assert not trained & gold
        number = {one: int(one.rpartition("-")[2]) for one in own + others}
        near = {one for one in others if number[one] in {number[each] for each in gold}}
        assert not trained & near
        assert any(left_out.get(one) == "in_gold_set" for one in near) and result["ledger"]["rejected"]["in_gold_set"] >= 10
        assert data(project, result).manifest.leakage.near_duplicates == 0


def test_without_the_search_the_measured_leakage_would_stop_it(drafted, monkeypatch):
    accepted_by_two(drafted)
    lock(drafted)
    monkeypatch.setattr(AgainstGold, "of", lambda *_arguments: set())
    assert failure(drafted, resplit=True, seed=5).reason.code == "leakage_found"


def test_the_groups_of_gold_rows_stay_out_too(project, tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [row | {"film": str(number % 12)} for number, row in enumerate(reviews(96))]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_rows("test", ImportRequest(project=project, locator=f"jsonl:{path}", auto=True, commit=True))
    draft(project)
    imported(project, import_run="import-1", rows=3)
    gold = accepted_by_two(project)
    lock(project)
    result = prepare(project, group_by="film")
    films = {int(one.rpartition("-")[2]) % 12 for one in gold}
    trained = [one for one, side in sides(project, result).items() if side in ("train", "dev")]
    assert trained and not {int(one.rpartition("-")[2]) % 12 for one in trained} & films


def test_a_sample_is_the_seeds_and_a_larger_one_holds_it(drafted):
    call("test", GoldDraftRequest(project=drafted, name="small"))
    call("test", GoldDraftRequest(project=drafted, name="large"))
    small = call("test", GoldImportRequest(project=drafted, name="small", rows=6)).result
    assert (small["rows"], small["ledger"]) == (6, {"rows_in": 20, "rows_out": 6, "rejected": {"not_drawn": 14}})
    assert "drawn" not in small
    call("test", GoldImportRequest(project=drafted, name="large", rows=12))
    six, twelve = ([row.row_id for row in gold_rows(drafted, name)] for name in ("small", "large"))
    assert set(six) < set(twelve)
    call("test", GoldImportRequest(project=drafted, name="small", rows=6, seed=7))
    assert len(gold_rows(drafted, "small")) == 12


def test_a_stratified_sample_has_each_value_in_its_proportion(project):
    add_rows(project, reviews(100, share_positive=0.25))
    prepare(project, eval_rows=40)
    draft(project)
    imported(project, rows=12, sample="stratified")
    assert Counter(row.payload["label"] for row in gold_rows(project, NAME)) == {"negative": 9, "positive": 3}


def test_by_a_column_of_the_source(project, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row | {"shop": "a" if n % 4 else "b"}) + "\n" for n, row in enumerate(reviews(80))))
    import_rows("test", ImportRequest(project=project, locator=f"jsonl:{path}", auto=True, commit=True))
    draft(project)
    assert imported(project, import_run="import-1", rows=16, sample="stratified", by="shop")["source"] == "import-1"
    assert Counter((int(one.rpartition("-")[2]) - 1) % 4 == 0 for one in ids(project)) == {True: 4, False: 12}
    call("test", GoldDraftRequest(project=project, name="other"))
    error = refused(
        call, "test", GoldImportRequest(project=project, name="other", import_run="import-1", rows=2, sample="stratified", by="x")
    )
    assert error.reason.code == "column_missing"


def test_what_can_not_be_drawn_is_named(drafted):
    assert refused(imported, drafted).reason.code == "gold_rows_known"
    assert "0 rows were asked" not in refused(imported, drafted).cause
    call("test", GoldDraftRequest(project=drafted, name="other"))
    error = refused(call, "test", GoldImportRequest(project=drafted, name="other", rows=21))
    assert error.reason.code == "gold_sample_too_large" and "20 rows of eval of v1 can be drawn, and 21" in error.cause
    assert refused(imported, drafted, import_run="import-9").reason.code == "unknown_run"
    assert refused(imported, drafted, manifest_version=9).reason.code == "not_prepared"
    assert refused(call, "test", GoldImportRequest(project=drafted, name="none")).reason.code == "unknown_gold_set"
    assert refused(draft, drafted).reason.code == "gold_draft_open"


def test_rows_of_another_task_do_not_enter(drafted):
    texts = [{"question": f"who wrote {own_words(n)}?", "answer": own_words(n + 500)} for n in range(40)]
    add_rows(drafted, texts, source="questions", import_run="import-2")
    call("test", PrepareRequest(project=drafted, task_profile="qa"))
    assert refused(imported, drafted).reason.code == "invalid_request"


def test_a_draft_that_people_are_not_done_with_is_not_locked(drafted):
    everything = dict.fromkeys(ids(drafted), "accepted")
    assert refused(lock, drafted).reason.code == "gold_rows_unreviewed"
    judge(drafted, "ana", everything)
    error = refused(lock, drafted)
    assert error.reason.code == "gold_one_reviewer" and "ana" in error.cause and "--reviewers 1" in error.next_step
    first, *others = everything
    judge(drafted, "ben", dict.fromkeys(others, "accepted"))
    error = refused(lock, drafted)
    assert error.reason.code == "gold_rows_unreviewed" and first in error.cause
    judge(drafted, "ben", {first: "rejected"})
    assert refused(lock, drafted).reason.code == "gold_rows_disputed"
    judge(drafted, "ben", {first: "accepted"}, settle=True)
    assert lock(drafted)["rows"] == 20


def test_one_reviewer_is_enough_only_where_it_is_said(drafted):
    judge(drafted, "ana", dict.fromkeys(ids(drafted), "accepted"))
    result = lock(drafted, reviewers=1)
    assert (result["reviewers"], result["agreement"]) == (["ana"], [])
    assert GoldData(locked_file(drafted)).manifest.wanted_reviewers == 1


def test_a_review_is_given_once_and_must_fit_the_row(drafted):
    first, second, *_ = ids(drafted)
    judge(drafted, "ana", {first: "accepted"})
    assert refused(judge, drafted, "ana", {first: "rejected"}).reason.code == "gold_row_reviewed"
    assert refused(judge, drafted, "ana", {"r-404": "accepted"}).reason.code == "unknown_gold_row"
    label = gold_rows(drafted, NAME)[1].payload["label"]
    for fields in ({"colour": "red"}, {"label": ""}, {"text": " "}, {"label": label}):
        assert refused(judge, drafted, "ana", {second: fields}).reason.code == "invalid_request"
    assert refused(judge, drafted, "ben", {second: "accepted", "r-404": "accepted"}).reason.code == "unknown_gold_row"
    assert gold_set(drafted, NAME).reviewers == {"ana": 1}  # all of a request or nothing of it


def test_a_locked_version_is_not_edited_and_the_next_goes_on_from_it(drafted):
    rows = accepted_by_two(drafted)
    former = lock(drafted)
    for edit in (lambda: imported(drafted), lambda: judge(drafted, "cleo", {rows[0]: "rejected"}), lambda: lock(drafted)):
        assert refused(edit).reason.code == "gold_set_is_locked"
    assert draft(drafted) == {"gold_set": "films@2", "rows": 20}
    judge(drafted, "cleo", {rows[0]: {"label": "another"}}, settle=True)
    newer = lock(drafted)
    assert newer["sha256"] != former["sha256"] and newer["corrected"] == 1
    assert gold_set(drafted, NAME, 1).sha256 == former["sha256"]
    assert GoldData(locked_file(drafted)).rows()[0].payload["label"] != "another"


@pytest.mark.parametrize("file", ["gold.jsonl", "gold.json"])
def test_a_locked_file_that_was_changed_or_lost_is_told(drafted, file):
    accepted_by_two(drafted)
    lock(drafted)
    found = locked_file(drafted)
    path = found.path.parent / file
    path.write_bytes(path.read_bytes().replace(b"film", b"FILM"))
    with pytest.raises(StageError) as error:
        GoldData(found)
    assert (error.value.reason.code, error.value.reason.file) == ("gold_set_changed", file)
    assert failure(drafted).reason.code == "gold_set_changed"
    path.unlink()
    with pytest.raises(StageError, match="gold set"):
        GoldData(found)


def test_a_draft_with_nothing_accepted_is_not_locked(drafted):
    for reviewer in ("ana", "ben"):
        judge(drafted, reviewer, dict.fromkeys(ids(drafted), "rejected"))
    assert refused(lock, drafted).reason.code == "gold_set_empty"
    call("test", GoldDraftRequest(project=drafted, name="other"))
    assert refused(call, "test", GoldLockRequest(project=drafted, name="other")).reason.code == "gold_set_empty"
