"""Training on a model of two layers: it learns, it resumes exactly, and each way to fail has its reason."""

from pathlib import Path

import psutil
import pytest

from brewslm.pipeline import execute
from brewslm.pipeline.execute import RunFailed, call, perform, resume
from brewslm.processes import child
from brewslm.processes.trace import read_trace
from brewslm.rows.manifest import PreparedData
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.train import TrainRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder, run_folder, sha256
from brewslm.store.tables import Experiment, RunEvent
from tests.running import PATIENCE_SECONDS, hold
from tests.stages.train.small import SMALL
from tests.synthetic import add_rows, own_words

pytestmark = pytest.mark.usefixtures("warm_children")


def events(project: int) -> list[RunEvent]:
    with reading() as session:
        return [event for event in session.query(RunEvent).order_by(RunEvent.id) if event.project_id == project]


def experiment(run_id: str) -> Experiment:
    with reading() as session:
        found = session.get(Experiment, run_id)
        assert found is not None
        return found


def failed(request, on_progress=None) -> RunFailed:
    with pytest.raises(RunFailed) as stopped:
        call("test", request, on_progress=on_progress)
    return stopped.value


def test_it_learns_from_its_rows_alone_and_leaves_a_trace_checkpoints_an_adapter_and_an_event(request_for, prepared):
    view = call("test", request_for())
    steps = read_trace(run_folder(view.task_id) / "trace.jsonl", "step")
    assert [step["step"] for step in steps] == list(range(1, 13))
    assert steps[-1]["loss"] < steps[0]["loss"] / 2
    assert {"learning_rate", "grad_norm", "tokens_per_second", "supervised_tokens"} <= set(steps[0])
    assert [line["step"] for line in read_trace(run_folder(view.task_id) / "trace.jsonl", "eval")] == [3, 6, 9, 12]

    manifest = project_folder(prepared) / "prepared" / "v1" / "manifest.json"
    trained = [row_id for step in steps for row_id in step["row_ids"]]
    assert len(trained) == 48
    assert set(trained) == {row.row_id for row in PreparedData(manifest, sha256(manifest)).train()}

    folder = project_folder(prepared) / "experiments" / view.task_id
    assert len(list((folder / "checkpoints").iterdir())) <= 2
    event = events(prepared)[-1]
    assert (event.reason_code, event.stage, event.severity, event.run_id) == ("training_completed", "training", "info", "exp-1")
    for key in (
        '"experiment_id":"exp-1"',
        '"backend":"transformers+peft"',
        '"method":"lora"',
        '"final_train_loss":',
        '"base_sha256":',
        '"rows_in":24',
    ):
        assert key in event.payload
    assert experiment(view.task_id).adapter_sha256 == sha256(folder / "adapter" / "adapter_model.safetensors")


def test_a_killed_run_resumes_from_its_last_whole_checkpoint_to_the_same_weights(request_for, prepared, monkeypatch, tmp_path):
    long = {"epochs": "4", "checkpoints": "8", "pack_tokens": "100"}  # several passes a step, checkpoints in mid-epoch
    straight = experiment(call("test", request_for(settings=long)).task_id).adapter_sha256

    others = psutil.Process().children(recursive=True)

    def kill_at_step_8(done, _total, unit, _figures):
        if unit == "step" and done >= 8:
            for one in set(psutil.Process().children(recursive=True)).difference(others):
                one.kill()

    hold(monkeypatch, tmp_path, "step", 8)
    stopped = failed(request_for(settings=long), kill_at_step_8)
    assert stopped.error.reason.code == "training_runtime_error"
    assert stopped.error.cause == "ended by SIGKILL, with no sign of memory trouble"
    checkpoints = project_folder(prepared) / "experiments" / "exp-2" / "checkpoints"
    newest = max(int(path.parent.name.partition("-")[2]) for path in checkpoints.glob("*/COMPLETE.json"))
    torn = checkpoints / f"checkpoint-{newest}" / "adapter_model.safetensors"
    torn.write_bytes(torn.read_bytes()[:-1] + b"\x00")

    view = perform(resume("test", "exp-2"))
    assert view.attempt == 2
    assert experiment("exp-2").adapter_sha256 == straight
    steps = read_trace(run_folder("exp-2") / "trace.jsonl", "step")
    assert [step["step"] for step in steps] == list(range(1, 25)), "the trace was not cut back to the checkpoint"
    told = [event for event in events(prepared) if event.run_id == "exp-2"]
    codes = ["training_runtime_error", "checkpoint_damaged", "training_resumed", "training_completed"]
    assert [event.reason_code for event in told] == codes
    assert f'"from_step":{newest - 3}' in told[2].payload, "the torn checkpoint was built on"
    assert '"attempt":2' in told[2].payload


def test_cancelling_ends_the_child_at_once_and_says_so(request_for, prepared, monkeypatch):
    monkeypatch.setattr(child, "GRACE_SECONDS", PATIENCE_SECONDS)

    others = psutil.Process().children(recursive=True)

    def cancel_at_once(done, _total, unit, _figures):
        if unit == "step" and done == 1:
            execute.cancel("test", "exp-1")

    stopped = failed(request_for(settings={"epochs": "400"}), cancel_at_once)
    assert (stopped.view.state, stopped.error.reason.code) == ("cancelled", "training_cancelled")
    assert stopped.error.cause == "cancelled on request", "it took a SIGKILL, after its grace"
    assert not set(psutil.Process().children(recursive=True)).difference(others)
    assert events(prepared)[-1].severity == "warning"


def test_a_time_limit_ends_it_and_a_resume_may_give_it_more(request_for, prepared, monkeypatch, tmp_path):
    slow = hold(monkeypatch, tmp_path, "step", 1)
    stopped = failed(request_for(timeout_minutes=0.005))
    slow.let_go()
    assert (stopped.view.state, stopped.error.reason.code) == ("failed", "training_timeout")
    assert perform(resume("test", "exp-1", timeout_minutes=10)).state == "succeeded"
    assert [event.reason_code for event in events(prepared)][-2:] == ["training_timeout", "training_completed"]


def test_preflights_blockers_stop_the_dispatch_unless_fail_open(request_for, prepared, tiny_model):
    strict = TrainRequest(
        project=prepared, base_model=f"path:{tiny_model}", settings=SMALL | {"max_length": "10"}, fail_open=True
    )
    stopped = failed(strict)
    assert stopped.error.reason.code == "training_dispatch_error"
    assert stopped.error.reason.payload()["blockers"] == ["no_trainable_rows"]
    assert not (project_folder(prepared) / "experiments" / "exp-1" / "adapter").exists()


def test_what_is_missing_before_the_start_is_a_dispatch_error(project, prepared):
    stopped = failed(TrainRequest(project=prepared, base_model="path:/no/such/model"))
    assert stopped.view.problem["code"] == "base_model_not_found"
    event = events(prepared)[-1]
    assert event.reason_code == "training_dispatch_error"
    assert '"error":"base_model_not_found"' in event.payload


def test_changed_rows_are_not_trained_on(request_for, prepared):
    path = project_folder(prepared) / "prepared" / "v1" / "train.jsonl"
    path.write_bytes(path.read_bytes().replace(b"positive", b"negative", 1))
    stopped = failed(request_for())
    assert stopped.error.reason.code == "manifest_mismatch"
    assert stopped.error.reason.payload()["file"] == "train.jsonl"


def test_rows_that_can_not_be_trained_on_are_counted_and_kept(request_for, prepared):
    add_rows(prepared, [{"text": f"{own_words(n)} " * 10, "label": "positive"} for n in range(30)], "long")
    call("test", PrepareRequest(project=prepared, train_rows=60, dev_rows=0, eval_rows=40))
    view = call("test", request_for(settings={"max_length": "100"}))
    ledger = view.result["ledger"]
    assert ledger["rows_in"] == 60 == ledger["rows_out"] + ledger["rejected"]["over_length"]
    rejected = Path(project_folder(prepared) / "experiments" / view.task_id / "rejected.jsonl").read_text().splitlines()
    assert len(rejected) == ledger["rejected"]["over_length"] > 0


def test_a_broken_loss_is_an_error_and_not_a_success(request_for):
    stopped = failed(
        request_for(settings={"learning_rate": "1e30", "warmup_share": "0", "schedule": "constant", "max_grad_norm": "1e30"})
    )
    assert stopped.error.reason.code == "training_runtime_error"
    assert "loss" in stopped.error.cause


def test_an_unknown_recipe_key_gets_a_did_you_mean(request_for):
    stopped = failed(request_for(settings={"epoch": "2"}))
    assert "did you mean epochs?" in stopped.view.problem["detail"]


def test_an_adapter_may_take_the_upper_layers_alone(tmp_path):
    from transformers import AutoModelForCausalLM

    from brewslm.models.recipe import recipe_named
    from brewslm.stages.train.adapter import with_adapter
    from tests.tiny import make_tiny_model

    folder = make_tiny_model(tmp_path / "four", layers=4)
    adapted = {}
    for share in ("0.5", "1.0"):
        model = with_adapter(AutoModelForCausalLM.from_pretrained(folder), recipe_named("qa", {"lora_top_layers": share}))
        names = [name for name, _ in model.named_parameters() if "lora_B" in name]
        adapted[share] = {int(name.partition("layers.")[2].partition(".")[0]) for name in names}
        assert len(names) == 7 * len(adapted[share]), "each layer has seven linear parts"
    assert adapted == {"0.5": {2, 3}, "1.0": {0, 1, 2, 3}}
