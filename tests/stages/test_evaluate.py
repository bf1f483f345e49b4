"""Stage 9 on a really tuned tiny model: figures, gates, verdict, and each way it can fail."""

import os
import shutil
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.eval_pack import load_eval_pack
from brewslm.models.prompt import SendsMessages, together
from brewslm.pipeline.execute import RunFailed, call, perform, resume
from brewslm.processes.context import DirectContext
from brewslm.rows import RowFile
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.stages import evaluate
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.evaluate.run import _Asking
from brewslm.stages.evaluate.subject import Model
from brewslm.store.database import reading
from brewslm.store.files import project_folder, read_json, run_folder, sha256, write_atomic, write_json
from brewslm.store.records import Records
from brewslm.store.tables import DataManifest, Evaluation, Run, RunEvent
from tests.experiments import make_experiment, rows
from tests.packs import gate, write_pack

pytestmark = pytest.mark.usefixtures("warm_children")

KILL_PATH = Path(__file__).parents[1] / "kill_path"


@pytest.fixture
def trained(project, tiny_model, tiny_adapter):
    return make_experiment(project, tiny_model, tiny_adapter, promotable=None)


@pytest.fixture
def folder(trained):
    return project_folder(trained.project)


MODELS = ("tuned", "base", "few_shot_base")


def job_of(trained, **asked):
    request = EvaluateRequest(experiment=trained.id, **asked)
    with reading() as session:
        return evaluate.resolve(request, Records(session, "eval-9", trained.project, "test"))


def run_here(trained, tmp_path, **asked):
    told = []
    context = DirectContext(tmp_path, on_progress=lambda done, total, unit, _figures: told.append((done, total, unit)))
    return evaluate.run(job_of(trained, **asked), context), told


def refused(call_, *arguments, **asked):
    with pytest.raises(StageError) as error:
        call_(*arguments, **asked)
    return error.value


def newest_event():
    with reading() as session:
        return session.scalars(select(RunEvent).order_by(RunEvent.id.desc())).first()


def test_a_tuned_model_is_promotable_and_everything_it_said_is_kept(trained, folder):
    view = call("test", EvaluateRequest(experiment=trained.id))
    card = view.result["scorecard"]
    assert view.result["promotable"] and card["n"] == 24
    assert card["systems"]["tuned"]["correct"] > card["systems"]["base"]["correct"]
    assert set(card["systems"]) == {"tuned", "base", "few_shot_base", "majority", "tfidf_logreg"}
    assert card["systems"]["majority"]["correct"] == 12
    kept = folder / view.result["path"]
    assert read_json(kept / "scorecard.json") == card
    for name, system in card["systems"].items():
        lines = list(RowFile(kept / f"predictions-{name}.jsonl").rows())
        assert [line["row_id"] for line in lines] == [row["row_id"] for row in rows()]
        assert sum(line["correct"] for line in lines) == system["correct"]
        assert all(line["correct"] == (line["output"] == line["expected"]) for line in lines)
        assert {line["verdict"] for line in lines} <= {"right", "wrong"}
        assert (system["scoring"], system["speed"] is None) == (
            ("label_log_probability", False) if name in MODELS else (None, True)
        )
    few = card["systems"]["few_shot_base"]
    assert (few["shots"], len(few["shot_rows"]), few["prompt"]) == (4, 4, card["systems"]["base"]["prompt"])
    assert card["power"]["n"] == 24 and "24 rows can tell" in card["power"]["sentence"]
    asked = list(RowFile(kept / "predictions-tuned.jsonl").rows())
    assert all(line["prompt"].endswith("<|im_start|>assistant\n") and line["prompt_tokens"] > 9 for line in asked)
    assert {(line["scoring"], line["stop"]) for line in asked} == {("label_log_probability", None)}
    assert {line["template_sha256"] for line in asked} == {card["systems"]["tuned"]["template_sha256"]}
    assert all(line["latency_seconds"] >= line["seconds"] > 0 for line in asked)
    speed = card["systems"]["tuned"]["speed"]
    assert speed["rows_per_second"] > 0 and speed["latency_p95_seconds"] >= speed["latency_p50_seconds"] > 0
    event = newest_event()
    payload = orjson.loads(event.payload)
    assert (event.stage, event.reason_code, event.severity) == ("eval", "evaluation_completed", "info")
    assert (event.run_id, event.parent_run_id) == (view.task_id, trained.id)
    assert payload["promotable"] and payload["tuned"] == card["systems"]["tuned"]["metrics"]["accuracy"]["value"]
    assert "movie" not in event.payload
    with reading() as session:
        assert session.get(Evaluation, view.task_id).promotable


def figures(card):
    """All of a scorecard that does not tell of time."""
    return card | {
        "systems": {name: one | {"seconds": 0, "speed": None} for name, one in card["systems"].items()},
    }


def kept_answers(run_id):
    """System → (call, place) of every whole line."""
    found = {}
    for path in sorted((run_folder(run_id) / "answers").glob("*.jsonl")):
        _, *lines = path.read_bytes().splitlines(keepends=True)
        whole = [orjson.loads(line) for line in lines if line.endswith(b"\n")]
        found[path.stem] = [(line["call"], line["told"]["place"]) for line in whole]
    return found


def test_an_evaluation_that_is_killed_goes_on_and_each_row_is_scored_once(trained, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{KILL_PATH}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("BREWSLM_TEST_KILL_AT", "-1")
    straight = call("test", EvaluateRequest(experiment=trained.id)).result["scorecard"]
    monkeypatch.setenv("BREWSLM_TEST_KILL_AT", "4")  # a head and six batches a system: in the third batch of the first
    with pytest.raises(RunFailed) as failed:
        call("test", EvaluateRequest(experiment=trained.id))
    assert failed.value.error.reason.code == "eval_runtime_error" and "SIGKILL" in failed.value.error.cause
    run_id = failed.value.view.task_id
    before = kept_answers(run_id)
    assert {name: 8 <= len(places) < 24 for name, places in before.items()} == {"tuned": True}
    monkeypatch.setenv("BREWSLM_TEST_KILL_AT", "15")
    with pytest.raises(RunFailed):
        perform(resume("test", run_id))
    between = kept_answers(run_id)
    assert set(between) == {"tuned", "base-chat", "base-plain"} and 0 < len(between["base-plain"]) < 24
    monkeypatch.setenv("BREWSLM_TEST_KILL_AT", "-1")
    view = perform(resume("test", run_id))
    assert view.attempt == 3
    found = kept_answers(run_id)
    assert all(sorted(places) == [(0, place) for place in range(24)] for places in found.values()), "a row was asked twice"
    batches = {name: places[: len(places) // 4 * 4] for name, places in between.items()}
    assert all(found[name][: len(places)] == places for name, places in batches.items()), "what was kept was asked again"
    assert figures(view.result["scorecard"]) == figures(straight)


def test_answers_to_a_changed_job_are_asked_for_again(trained, tmp_path):
    first, _ = run_here(trained, tmp_path)
    shutil.rmtree(job_of(trained).output)
    told = []
    job = job_of(trained)
    job = job.model_copy(update={"subject": job.subject.model_copy(update={"sha256": "0" * 64})})
    assert refused(evaluate.run, job, DirectContext(tmp_path)).reason.error == "the adapter's hash differs"
    again = evaluate.run(job_of(trained, eval_pack="fast"), DirectContext(tmp_path, lambda done, *_: told.append(done)))
    assert told[0] < 24, "answers of the other job were counted"
    assert again.scorecard.primary("tuned") == first.scorecard.primary("tuned")


def test_the_base_is_reported_at_the_better_of_its_prompts(trained, tmp_path):
    result, told = run_here(trained, tmp_path)
    card = result.scorecard
    at = {style: metrics["accuracy"].value for style, metrics in card.base_prompts.items()}
    assert set(at) == {"chat", "plain"}
    assert card.primary("base").value == max(at.values()) == at[card.systems["base"].prompt]
    assert card.systems["tuned"].prompt == "chat"
    assert told[-1] == (96, 96, "rows")


def test_the_paired_test_agrees_with_the_predictions(trained, tmp_path, folder):
    card = run_here(trained, tmp_path)[0].scorecard
    right = {
        name: [line["correct"] for line in RowFile(folder / "evaluations" / "eval-9" / f"predictions-{name}.jsonl").rows()]
        for name in ("tuned", "base")
    }
    assert card.paired["base"].wins == sum(a and not b for a, b in zip(right["tuned"], right["base"], strict=True))
    assert card.paired["base"].p_value < 0.05


def test_a_gate_that_is_not_met_is_a_result_and_an_optional_one_decides_nothing(trained, tmp_path):
    high = gate(gate_id="high", threshold=0.99, required=False)
    good = gate(gate_id="good", metric_id="macro_f1", threshold=0.6)
    other = gate(gate_id="other", metric_id="recall", class_id="positive", threshold=0.3)
    card = run_here(trained, tmp_path, eval_pack=write_pack(tmp_path, high, good, other, version="7"))[0].scorecard
    assert [(one.met, one.n) for one in card.gates] == [(False, 24), (True, 24), (True, 12)]
    assert card.promotable and (card.eval_pack, card.pack_version) == ("mine", "7")
    shutil.rmtree(job_of(trained).output)
    required = write_pack(tmp_path, high | {"required": True}, good)
    assert not run_here(trained, tmp_path, eval_pack=required)[0].promotable


def test_a_slice_is_judged_by_its_own_rows(trained, tmp_path):
    ends = ({"slice_id": name, "field": "text", "equals": f"the movie 0 was {word} and {word}"} for name, word in SAID.items())
    few = {"slice_id": "few", "field": "text", "min_words": 7, "max_words": 7}
    slices = gate(gate_id="a", slice_id="few"), gate(gate_id="b", slice_id="no", threshold=0.0, required=False)
    card = run_here(trained, tmp_path, eval_pack=write_pack(tmp_path, *slices, spec={"slices": [few, *ends]}))[0].scorecard
    assert [(one.n, one.slice_id) for one in card.gates] == [(24, "few"), (1, "no")]


SAID = {"yes": "lovely", "no": "dull"}


def test_the_untuned_base_fails_every_pack_of_the_task(trained, tmp_path):
    from safetensors.torch import load_file, save_file

    job = job_of(trained)
    weights = job.subject.path / "adapter_model.safetensors"
    save_file({name: tensor * 0 for name, tensor in load_file(weights).items()}, weights)
    subject = job.subject.model_copy(update={"sha256": sha256(weights)})
    for name in ("general", "strict", "fast", "classification"):
        untuned = job.model_copy(update={"subject": subject, "pack": load_eval_pack(name)})
        card = evaluate.run(untuned, DirectContext(tmp_path / name)).scorecard
        shutil.rmtree(job.output)
        assert not card.promotable and not {one.gate_id: one.met for one in card.gates}["gain_over_base"]


def test_held_out_rows_that_were_changed_or_lost_are_told(trained, folder):
    eval_file = folder / "prepared" / "v1" / "eval.jsonl"
    eval_file.write_bytes(eval_file.read_bytes()[:-2])
    with pytest.raises(RunFailed) as failed:
        call("test", EvaluateRequest(experiment=trained.id))
    assert failed.value.error.reason.code == "eval_dataset_missing"
    event = newest_event()
    assert (event.reason_code, event.parent_run_id) == ("eval_dataset_missing", trained.id)
    assert not (folder / "evaluations").exists() or not list((folder / "evaluations").iterdir())
    eval_file.unlink()
    assert refused(evaluate.run, job_of(trained), DirectContext(folder)).reason.code == "eval_dataset_missing"
    (folder / "prepared" / "v1" / "manifest.json").unlink()
    assert refused(evaluate.run, job_of(trained), DirectContext(folder)).reason.code == "eval_dataset_missing"


def test_an_empty_eval_split_is_told(trained, folder):
    manifest = read_json(folder / "prepared" / "v1" / "manifest.json")
    write_atomic(folder / "prepared" / "v1" / "eval.jsonl", b"")
    manifest["splits"]["eval"]["sha256"] = sha256(folder / "prepared" / "v1" / "eval.jsonl")
    write_json(folder / "prepared" / "v1" / "manifest.json", manifest)
    job = job_of(trained).model_copy(update={"manifest_sha256": sha256(folder / "prepared" / "v1" / "manifest.json")})
    assert refused(evaluate.run, job, DirectContext(folder)).reason.error == "the eval split has no rows"


def test_labels_that_training_never_saw_are_named_with_their_rows(trained, folder, tmp_path):
    prepared = folder / "prepared" / "v1"
    odd = [row | {"payload": row["payload"] | {"label": "mixed"}} if place % 8 == 0 else row for place, row in enumerate(rows())]
    write_atomic(prepared / "eval.jsonl", b"".join(orjson.dumps(row) + b"\n" for row in odd))
    manifest = read_json(prepared / "manifest.json")
    manifest["splits"]["eval"]["sha256"] = sha256(prepared / "eval.jsonl")
    write_json(prepared / "manifest.json", manifest)
    job = job_of(trained).model_copy(update={"manifest_sha256": sha256(prepared / "manifest.json")})
    card = evaluate.run(job, DirectContext(tmp_path)).scorecard
    assert card.unseen_labels == {"mixed": 3}
    assert card.systems["tuned"].details["per_class"]["mixed"]["recall"] == 0


class Rule(SendsMessages):
    """Measures each text by its length, two at a time."""

    def __init__(self, listener):
        self._listener = listener

    def log_likelihoods(self, prompts, completions):
        found = [(-float(len(text)), len(text)) for text in completions]
        for start in range(0, len(found), 2):
            self._listener(together(range(start, start + 2), found, "log_likelihood", 0.1))
        return found


def test_a_pair_counts_as_one_row_of_progress(trained, tmp_path):
    handler = handler_for("preference", OutputSchema(scoring_mode="preference"))
    pairs = [
        PreparedRow(row_id=f"{place:016x}", payload={"prompt": f"ask {place}", "chosen": "yes", "rejected": "not so"})
        for place in range(6)
    ]
    told = []
    context = DirectContext(tmp_path, on_progress=lambda done, total, *_: told.append((done, total)))
    asking = _Asking(job_of(trained), context, handler, pairs, systems=2)
    with Model(lambda _stack: lambda _style, listener: Rule(listener)) as model:
        answers = asking.answers("tuned", None, model)
    assert told == [(done, 12) for done in range(7)]
    assert answers.scores.metrics["preference_accuracy"].value == 1.0
    answers.write(tmp_path / "predictions-tuned.jsonl", handler, pairs)
    line = next(RowFile(tmp_path / "predictions-tuned.jsonl").rows())
    assert (line["scoring"], line["stop"], line["seconds"]) == ("log_likelihood", None, 0.1)


def test_a_crash_is_an_eval_runtime_error_without_any_rows_text(trained):
    (trained.adapter / "adapter_config.json").write_text("{")
    with pytest.raises(RunFailed) as failed:
        call("test", EvaluateRequest(experiment=trained.id))
    assert failed.value.error.reason.code == "eval_runtime_error"
    event = newest_event()
    assert (event.reason_code, event.severity, event.parent_run_id) == ("eval_runtime_error", "error", trained.id)
    assert "movie" not in event.payload
    with reading() as session:
        assert session.get(Run, failed.value.view.task_id).state == "failed"
        assert session.scalars(select(Evaluation)).first() is None


def test_another_adapter_or_base_than_the_trained_one_is_refused(trained, tmp_path, tiny_model):
    job = job_of(trained)
    with (job.subject.path / "adapter_model.safetensors").open("ab") as file:
        file.write(b"\0")
    assert refused(evaluate.run, job, DirectContext(tmp_path)).reason.error == "the adapter's hash differs"
    (job.subject.path / "adapter_model.safetensors").unlink()
    assert refused(job_of, trained).reason.code == "not_trained"


def test_what_does_not_exist_is_refused_before_a_run_is_opened(project):
    for name in ("exp-7", "project-1"):
        error = refused(call, "test", EvaluateRequest(experiment=name))
        assert error.reason.code == {"exp-7": "unknown_run", "project-1": "not_trained"}[name]
    with reading() as session:
        assert session.scalars(select(Run).where(Run.operation == "evaluate.run")).first() is None


def test_a_pack_that_can_not_be_used_is_refused_before_anything_is_asked(trained, tmp_path):
    assert refused(job_of, trained, eval_pack="none-such").reason.code == "eval_pack_invalid"
    assert "no gates for classification" in refused(job_of, trained, eval_pack="qa").what
    other = refused(job_of, trained, eval_pack=write_pack(tmp_path, gate(metric_id="recall", class_id="positve")))
    assert (other.reason.code, other.where) == ("eval_pack_invalid", "gate g wants class positve")
    assert other.cause == "did you mean positive? known: negative, positive" and other.next_step
    both = refused(job_of, trained, eval_pack=write_pack(tmp_path, gate(metric_id="json_validity_rate")))
    assert both.where == "gate g wants metric json_validity_rate"  # of classification with several labels, not of this one


def test_the_job_holds_its_gates_so_that_an_edited_pack_changes_no_verdict(trained, tmp_path):
    path = Path(write_pack(tmp_path, gate(threshold=0.1)))
    job = job_of(trained, eval_pack=str(path))
    path.unlink()
    assert evaluate.EvaluateJob.model_validate(job.model_dump(mode="json")) == job
    assert job.pack.spec("classification").gates[0].threshold == 0.1
    with reading() as session:
        assert job.manifest_sha256 == session.scalars(select(DataManifest)).one().sha256
