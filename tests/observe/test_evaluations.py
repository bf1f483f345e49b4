"""Evaluations held against each other, and the errors of one, as the views, the commands and the routes tell them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.handlers.base import Prediction
from brewslm.observe.evaluations import compared, comparison, error_analysis
from brewslm.observe.rowpassport import row_passport
from brewslm.stages.evaluate.errors import analyse, slice_report
from brewslm.store.database import transaction
from brewslm.store.files import project_folder, write_json
from brewslm.store.tables import Evaluation
from tests.api.conftest import client  # noqa: F401 - the API without a worker
from tests.stages.errors.made import evaluated, labels_handler

CARD = {
    "manifest_version": 1, "manifest_sha256": "a" * 64, "task_profile": "classification", "scoring_mode": "label",
    "systems": {"tuned": {"scoring": "label_log_probability"}},
}  # fmt: skip


@pytest.fixture
def measured(walk):
    """Makes an evaluation of given rows with a scorecard."""
    walk.imported()
    walk.prepared()
    experiment = walk.trained([])

    def make(right: dict[str, bool], **changed) -> str:
        run = walk.evaluated(experiment, right)
        with transaction() as session:
            session.get_one(Evaluation, run).scorecard = CARD | changed
        return run

    return make


def refused(*ids: str) -> StageError:
    with pytest.raises(StageError) as error:
        comparison(ids)
    return error.value


def test_what_was_fixed_and_broken(measured):
    first = measured({"a": True, "b": True, "c": False, "d": False})
    second = measured({"a": True, "b": False, "c": True, "d": False})
    found = comparison([first, second])
    one, other = found.evaluations
    assert (one.correct, one.p_value, one.fixed) == (2, None, [])
    assert (other.fixed, other.broken, other.still_wrong, other.right_in_both) == (["c"], ["b"], ["d"], ["a"])
    assert (other.p_value, found.n, found.always_right, found.always_wrong) == (1.0, 4, 1, 1)
    assert [(row.row_id, row.correct) for row in found.changed] == [("b", [True, False]), ("c", [False, True])]
    shown = CliRunner().invoke(app, ["compare", first, second]).stdout
    assert "broken in eval-2: 1" in shown and "fixed in eval-2: 1" in shown
    assert all(len(line) <= 80 for line in shown.splitlines()), shown
    assert json.loads(CliRunner().invoke(app, ["compare", first, second, "--json"]).stdout) == found.model_dump(mode="json")


def test_other_rows_or_another_scoring_are_not_compared(measured):
    first = measured({"a": True})
    changes = {
        "manifest: v1 (aaaaaaaaaaaa) and v2 (bbbbbbbbbbbb)": {"manifest_sha256": "b" * 64, "manifest_version": 2},
        "scoring mode: label and text": {"scoring_mode": "text"},
        "scoring: label_log_probability and constrained": {"systems": {"tuned": {"scoring": "constrained"}}},
        "rows: eval and gold:mine@2": {"rows_from": "gold:mine@2"},
    }
    for cause, changed in changes.items():
        error = refused(first, measured({"a": True}, **changed))
        assert (error.reason.code, error.cause) == ("not_comparable", cause)
    assert refused(first, measured({"b": True})).cause == "their answers are not to the same rows"


def test_one_alone_the_same_twice_six_and_unknown_ones_are_refused(measured, client):
    first = measured({"a": True})
    assert refused(first).reason.code == refused(first, first).reason.code == refused(*"abcdef").reason.code == "invalid_request"
    assert refused(first, "eval-9").reason.code == refused(first, "exp-1").reason.code == "unknown_run"
    answer = client.get("/api/evaluations/compare", params={"evaluation": [first, "eval-9"]})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_run")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=30), st.integers(2, 5))
def test_each_row_is_in_one_of_four_lists_and_they_add_up(table, count):
    found = [
        Evaluation(run_id=f"eval-{n}", project_id=1, experiment_id="exp-1", eval_pack="x", scorecard=CARD) for n in range(count)
    ]
    answers = [
        {f"r{row}": {"correct": said[n], "expected": 1, "output": int(said[n])} for row, said in enumerate(table)}
        for n in range(count)
    ]
    made = compared(found, answers)
    for n, one in enumerate(made.evaluations[1:], 1):
        lists = (one.fixed, one.broken, one.still_wrong, one.right_in_both)
        assert sorted(row for rows in lists for row in rows) == sorted(answers[0])
        assert len(one.fixed) - len(one.broken) == one.correct - made.evaluations[0].correct
        assert all(not answers[0][row]["correct"] and answers[n][row]["correct"] for row in one.fixed)
        assert one.p_corrected >= one.p_value
    assert made.always_right + made.always_wrong + len(made.changed) == made.n == len(table)


@pytest.fixture
def analysed(walk, measured):
    """An evaluation with its errors."""
    eval_rows = walk.ids["eval"]
    run = measured({row: place > 2 for place, row in enumerate(eval_rows)})
    handler = labels_handler()
    payloads = [
        {"text": f"a film of {place} words and of quite a long story that goes on", "label": "negative", "day": place // 5}
        for place in range(len(eval_rows))
    ]
    rows, lines = evaluated(handler, payloads, ["positive"] * 3 + ["negative"] * (len(eval_rows) - 3))
    rows = [row.model_copy(update={"row_id": name}) for row, name in zip(rows, eval_rows, strict=True)]
    scores = handler.score(rows, [Prediction.model_validate(line) for line in lines])
    slices = slice_report(handler, rows, scores, {})
    found = analyse(handler, rows, lines, {}).model_copy(update={"slices": slices})
    write_json(project_folder(walk.project) / "evaluations" / run / "errors.json", found.model_dump(mode="json"))
    return run


def test_the_errors_are_told_by_view_command_route_and_row(analysed, walk, client):
    found = error_analysis(analysed)
    (cluster,) = found.clusters
    assert (found.wrong, cluster.rows, found.project) == (3, 3, walk.project)
    shown = CliRunner().invoke(app, ["errors", "--evaluation", analysed]).stdout
    assert "0 of the 2 slices looked at are worse" in shown
    assert "true of 100 % of these rows, 0.0 % of all right rows; no common trait found" in " ".join(shown.split())
    assert "expected negative, predicted positive" in shown and cluster.exemplars[0].row_id in shown
    assert all(len(line) <= 80 for line in shown.splitlines()), shown
    answer = client.get(f"/api/evaluations/{analysed}/errors").json()
    assert (
        answer
        == found.model_dump(mode="json")
        == json.loads(CliRunner().invoke(app, ["errors", "--evaluation", analysed, "--json"]).stdout)
    )
    wrong, right = (row_passport(walk.ids["eval"][place]).answers for place in (0, 5))
    assert {answer.model: answer.cluster for answer in wrong} == {"tuned": cluster.name, "base": None}
    assert {answer.cluster for answer in right} == {None}
    assert f"error cluster {cluster.name}" in CliRunner().invoke(app, ["row", "show", walk.ids["eval"][0]]).stdout


def test_an_evaluation_of_an_older_version_has_no_errors_to_show(measured):
    done = CliRunner().invoke(app, ["errors", "--evaluation", measured({"a": True})])
    assert done.exit_code == 1 and "not_analysed" in done.stderr
    assert CliRunner().invoke(app, ["errors", "--evaluation", "eval-7"]).exit_code == 1
