"""Stage 9 on a gold set instead of the eval split, and with a judge: on a really tuned tiny model."""

import json

import pytest
import yaml
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.observe.gold import gold_rows
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.processes.context import DirectContext
from brewslm.rows import RowFile
from brewslm.rows.gold import GOLD_FILE
from brewslm.stages import evaluate
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.evaluate.judging import JudgeRequest
from brewslm.stages.prepare.gold import GoldDraftRequest, GoldImportRequest, GoldLockRequest, GoldReviewRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.records import Records
from brewslm.store.tables import RunEvent
from tests.experiments import make_experiment
from tests.judge_server import judging, part, verdict

pytestmark = pytest.mark.usefixtures("warm_children")

UNSEEN = [
    {"text": f"{first} {word}, said {who} of it all", "label": label}
    for who in ("ana", "benjamin", "cleopatra")
    for first, word, label in (("quite", "lovely", "positive"), ("rather", "awful", "negative"), ("so", "good", "positive"))
]


@pytest.fixture
def trained(project, tiny_model, tiny_adapter):
    return make_experiment(project, tiny_model, tiny_adapter, promotable=None)


def locked(project, source, rows=None):
    """A gold set of these rows, or of the eval split."""
    call("test", GoldDraftRequest(project=project, name="films"))
    asked = {}
    if rows is not None:
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        view = import_rows("test", ImportRequest(project=project, locator=f"jsonl:{source}", auto=True, commit=True))
        asked["import_run"] = view.run.task_id
    call("test", GoldImportRequest(project=project, name="films", **asked))
    said = [{"row_id": row.row_id, "verdict": "accepted"} for row in gold_rows(project, "films")]
    call("test", GoldReviewRequest(project=project, name="films", reviewer="ana", reviews=said))
    return call("test", GoldLockRequest(project=project, name="films", reviewers=1)).result


def measured(trained, tmp_path, told=None, **asked):
    """Evaluate in this process; returns the result."""
    request = EvaluateRequest(experiment=trained.id, **asked)
    with reading() as session:
        job = evaluate.resolve(request, Records(session, "eval-9", trained.project, "test"))
    return evaluate.run(job, DirectContext(tmp_path, on_reason=(told if told is not None else []).append))


def failure(request):
    with pytest.raises(RunFailed) as failed:
        call("test", request)
    return failed.value.error


def judged_pack(folder, mode="grade"):
    judged = {"metric_id": "judge_pass_rate", "required": False}
    spec = {
        "task_profile": "classification",
        "judge": {"rubric": "The label must be right.", "mode": mode},
        "gates": [
            {"gate_id": "right", "metric_id": "accuracy", "operator": "gte", "threshold": 0.1},
            {"gate_id": "judged", "operator": "gte", "threshold": 0.1} | judged,
            {"gate_id": "judged_gain", "operator": "gte", "better_than": "base"} | judged,
        ][: 3 if mode == "grade" else 1],
    }
    head = {"contract_version": "slm.evaluation-pack/v2", "pack_id": "mine", "display_name": "Mine", "description": "a test"}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(head | {"task_specs": [spec]}))
    return str(path)


def test_an_experiment_is_measured_on_a_locked_gold_set(trained, tmp_path):
    gold = locked(trained.project, tmp_path / "unseen.jsonl", UNSEEN)
    result = measured(trained, tmp_path, gold_set="films")
    card = result.scorecard
    assert (card.n, card.rows_from, card.rows_sha256) == (len(UNSEEN), "gold films@1", gold["sha256"])
    kept = RowFile(project_folder(trained.project) / result.path / "predictions-tuned.jsonl").rows()
    assert [line["expected"] for line in kept] == [row["label"] for row in UNSEEN]
    path = project_folder(trained.project) / "gold" / "films-v1" / GOLD_FILE
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(StageError) as error:
        measured(trained, tmp_path, gold_set="films@1")
    assert error.value.reason.code == "gold_set_changed"


def test_a_gold_set_whose_rows_were_trained_on_judges_nothing(trained, tmp_path):
    locked(trained.project, tmp_path)
    with pytest.raises(StageError) as refused:
        measured(trained, tmp_path, gold_set="films")
    error = refused.value
    assert error.reason.code == "gold_set_trained" and error.next_step
    assert (error.reason.same_rows, error.reason.equal_texts) == (24, 24)


def test_a_gold_set_that_is_not_there_or_not_locked_is_refused(trained):
    assert failure(EvaluateRequest(experiment=trained.id, gold_set="films")).reason.code == "unknown_gold_set"
    call("test", GoldDraftRequest(project=trained.project, name="films"))
    for name in ("films", "films@1", "films@one"):
        assert failure(EvaluateRequest(experiment=trained.id, gold_set=name)).reason.code == "unknown_gold_set"


def test_a_judges_figure_stands_on_the_scorecard_and_gates_can_name_it(trained, tmp_path):
    def say(message):
        return verdict("pass" if part(message, "answer") == part(message, "reference answer") else "fail")

    with judging(say=say) as judge:
        asked = JudgeRequest(url=judge.url, model="a-judge")
        result = measured(trained, tmp_path, eval_pack=judged_pack(tmp_path), judge=asked)
    card = result.scorecard.model_dump(mode="json")
    for system in ("tuned", "base"):
        metrics = card["systems"][system]["metrics"]
        assert metrics["judge_pass_rate"]["value"] == metrics["accuracy"]["value"] and metrics["judge_pass_rate"]["n"] == 24
    gates = {gate["gate_id"]: gate for gate in card["gates"]}
    assert gates["judged"]["met"] and gates["judged_gain"]["value"] == card["systems"]["tuned"]["metrics"]["accuracy"]["value"]
    assert card["judge"]["agreement"]["value"] == 1.0 and card["judge"]["problem"] == ""
    lines = RowFile(project_folder(trained.project) / result.path / "judgements.jsonl").rows()
    assert sum(line["system"] == "tuned" for line in lines) == 24


def test_a_judge_that_fails_leaves_the_rest_of_the_scorecard(trained, tmp_path):
    with judging(status=500) as judge:
        asked = JudgeRequest(url=judge.url, model="a-judge")
        view = call("test", EvaluateRequest(experiment=trained.id, eval_pack=judged_pack(tmp_path), judge=asked))
    card = view.result["scorecard"]
    assert view.state == "succeeded" and card["promotable"] and "accuracy" in card["systems"]["tuned"]["metrics"]
    assert card["judge"]["problem"] == "it answered with status 500"
    gates = {gate["gate_id"]: (gate["met"], gate["cause"]) for gate in card["gates"]}
    assert gates["judged"] == (False, "metric_missing")
    with reading() as session:
        event = session.scalars(select(RunEvent).where(RunEvent.reason_code == "eval_judge_unavailable")).one()
    assert (event.stage, event.severity, event.parent_run_id) == ("eval", "error", trained.id)
    assert "movie" not in event.payload


def test_pairs_go_through_the_whole_evaluation(trained, tmp_path):
    with judging(say=lambda _message: verdict("first")) as judge:
        asked = JudgeRequest(url=judge.url, model="a-judge", rows=5)
        card = measured(trained, tmp_path, eval_pack=judged_pack(tmp_path, "pairwise"), judge=asked).scorecard.model_dump()
    assert (card["judge"]["ties"], card["judge"]["first_preferred"]["value"]) == (5, 1.0)
    assert card["systems"]["tuned"]["metrics"]["judge_win_rate"]["value"] == 0.5
    assert "judge_win_rate" not in card["systems"]["base"]["metrics"]


def test_a_judge_without_a_rubric_is_refused_and_nothing_is_sent(trained):
    with judging() as judge:
        request = EvaluateRequest(experiment=trained.id, judge=JudgeRequest(url=judge.url, model="a-judge"))
        error = failure(request)
    assert error.reason.code in ("invalid_request", "eval_runtime_error") and "rubric" in str(error)
    assert judge.asked == []
