import pytest

from brewslm.errors import StageError
from brewslm.observe.answers import answers
from brewslm.observe.scorecards import evaluations, scorecard_of
from tests.api.conftest import client  # noqa: F401 - the API, without a server
from tests.web.conftest import card  # noqa: F401 - a scorecard
from tests.web.trainings import measured, trained


@pytest.fixture
def evaluated(walk, card):
    walk.imported()
    walk.prepared()
    card = card.model_copy(update={"manifest_version": 1})
    rows = {row: place % 3 > 0 for place, row in enumerate(walk.ids["eval"])}
    return measured(walk, trained(walk, [["a"]]), card, rows), rows


def test_answers_come_a_page_at_a_time_with_what_was_asked(evaluated):
    evaluation, rows = evaluated
    page = answers(evaluation, start=8, limit=5)
    assert (page.total, page.start, [one.row_id for one in page.answers]) == (10, 8, list(rows)[8:])
    assert page.verdicts == {"right": 6, "wrong": 4} and page.systems == ["tuned", "base"]
    assert page.answers[0].asked["text"] and page.answers[0].asked["label"] in ("positive", "negative")


def test_a_cell_of_the_confusion_matrix_is_the_rows_behind_it(evaluated):
    evaluation, rows = evaluated
    page = answers(evaluation, expected="negative", output="positive")
    assert [one.row_id for one in page.answers] == [row for row, right in rows.items() if not right] and page.total == 4
    assert {one.verdict for one in answers(evaluation, "base", verdict="right").answers} == {"right"}
    assert answers(evaluation, expected="negative", output="negative").total == 0


@pytest.mark.parametrize("asked", [{"system": "nobody"}, {"verdict": "good"}])
def test_what_there_is_not_is_named_beside_what_there_is(evaluated, asked):
    with pytest.raises(StageError) as refused:
        answers(evaluated[0], **asked)
    assert refused.value.reason.code == "invalid_request" and "there are" in refused.value.cause


def test_evaluations_are_listed_newest_first_with_the_gates_they_missed(walk, card, evaluated):
    second = measured(walk, trained(walk, [["a"]]), card)
    found = evaluations(walk.project, limit=1)
    assert [one.evaluation for one in found.evaluations] == [second] and (found.total, found.older, found.newer) == (2, 2, False)
    assert found.evaluations[0].missed == [] and found.evaluations[0].metric.value == 0.9025
    older = evaluations(walk.project, before=2)
    assert [one.evaluation for one in older.evaluations] == [evaluated[0]] and older.newer and older.older is None
    assert scorecard_of(second).card.n == 400


def test_a_scorecard_of_a_former_version_is_refused_in_words(walk, card, evaluated):
    bare = walk.evaluated("exp-1", {})
    with pytest.raises(StageError) as refused:
        scorecard_of(bare)
    assert refused.value.reason.code == "not_analysed"


def test_the_api_answers_the_same(walk, evaluated, client):
    evaluation, rows = evaluated
    listed = client.get(f"/api/projects/{walk.project}/evaluations").json()
    assert [one["evaluation"] for one in listed["evaluations"]] == [evaluation]
    assert client.get(f"/api/evaluations/{evaluation}/scorecard").json()["card"]["n"] == 400
    wrong = client.get(f"/api/evaluations/{evaluation}/answers", params={"verdict": "wrong", "start": 1, "limit": 2}).json()
    assert [one["row_id"] for one in wrong["answers"]] == [row for row, right in rows.items() if not right][1:3]
    assert client.get(f"/api/evaluations/{evaluation}/answers?system=nobody").json()["code"] == "invalid_request"
