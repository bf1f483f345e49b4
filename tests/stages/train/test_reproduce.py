"""An experiment is trained again from its record: to the same bytes, or it is said where it parts and why."""

import orjson
import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.models.environment import environment
from brewslm.models.recipe import recipe_named
from brewslm.observe.experiments import experiment
from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.train import ReproduceRequest
from brewslm.stages.train.reproduce import first_difference
from brewslm.store.database import reading
from brewslm.store.files import project_folder, read_json, run_folder, write_json
from brewslm.store.tables import RunEvent

pytestmark = pytest.mark.usefixtures("warm_children")

cli = CliRunner()


@pytest.fixture
def trained(request_for):
    return call("test", request_for()).task_id


def last_event() -> tuple[str, str, dict]:
    with reading() as session:
        event = session.query(RunEvent).order_by(RunEvent.id.desc()).first()
        return event.reason_code, event.parent_run_id, orjson.loads(event.payload)


def record_says(run_id: str, change) -> None:
    """Change the run's record."""
    path = run_folder(run_id) / "job.json"
    written = read_json(path)
    change(written["job"]["train"])
    write_json(path, written)


def refused(run_id: str) -> dict:
    with pytest.raises(RunFailed) as failed:
        call("test", ReproduceRequest(experiment=run_id))
    assert failed.value.view.problem["code"] == "not_reproducible"
    return failed.value.view.problem


def test_it_comes_out_the_same_byte_by_byte_and_with_another_seed_it_is_said_from_which_step_on_it_does_not(trained, prepared):
    done = cli.invoke(app, ["reproduce", trained])
    assert done.exit_code == 0 and "the same weights, byte by byte" in done.stdout, done.output
    assert last_event()[:2] == ("training_reproduced", trained)
    assert not (project_folder(prepared) / "reproductions" / "reproduce-1").exists(), "the experiment has these weights"

    record_says(trained, lambda job: job.update(threads=2, recipe=job["recipe"] | {"seed": 7}))
    done = cli.invoke(app, ["reproduce", trained])
    assert done.exit_code == 1 and "step 1 is the first that differs" in done.stdout, done.output
    code, parent, payload = last_event()
    assert (code, parent, payload["first_step"]) == ("training_not_reproduced", trained, 1)
    assert payload["differs"] == ["threads 1, now 2"] and "threads 1, now 2" in done.stdout
    assert payload["adapter_sha256"] != payload["expected_sha256"] == experiment(trained).adapter_sha256
    assert experiment(trained).reproductions == {"reproduce-1": True, "reproduce-2": False}
    kept = {path.name for path in (project_folder(prepared) / "reproductions" / "reproduce-2").iterdir()}
    assert kept == {"adapter", "rejected.jsonl"}, "what differs is there to be looked at, without its checkpoints"


def test_what_is_gone_or_changed_is_named_before_anything_is_trained(trained, prepared, tiny_model, tmp_path):
    rows = project_folder(prepared) / "prepared" / "v1" / "train.jsonl"
    kept = rows.read_bytes()
    rows.write_bytes(kept.replace(b"positive", b"negative", 1))
    assert "train.jsonl; its SHA-256 differs" in refused(trained)["detail"]
    rows.write_bytes(kept)
    record_says(trained, lambda job: job["base"].update(locator=f"path:{tmp_path / 'gone'}"))
    assert str(tmp_path / "gone") in refused(trained)["detail"]
    record_says(trained, lambda job: job["base"].update(locator=f"path:{tiny_model}", sha256="0" * 64))
    assert f"path:{tiny_model}; its SHA-256 is" in refused(trained)["detail"]
    (run_folder(trained) / "job.json").write_bytes(b"{")
    assert "job.json; the run's record can't be read" in refused(trained)["detail"]
    (run_folder(trained) / "job.json").unlink()
    assert "job.json; the run's record is gone" in refused(trained)["detail"]
    assert last_event()[0] == "training_dispatch_error"


def test_what_is_otherwise_on_this_machine_is_named():
    here = environment(recipe_named("qa"))
    there = here.model_copy(update={"threads": here.threads + 1, "libraries": here.libraries | {"torch": "1.0"}})
    assert there.differences(here) == [
        f"threads {here.threads + 1}, now {here.threads}", f"torch 1.0, now {here.libraries['torch']}"
    ]  # fmt: skip
    assert here.differences(here) == []


def write(path, *steps):
    lines = [
        {"kind": "step", "ts": 0.0, "step": n, "loss": loss, "grad_norm": 1.0, "row_ids": ["a"]} for n, loss in enumerate(steps)
    ]
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def test_the_first_step_that_differs_is_found_also_where_one_trace_is_shorter(tmp_path):
    kept = write(tmp_path / "kept.jsonl", 0.5, 0.4, 0.3)
    assert first_difference(kept, write(tmp_path / "same.jsonl", 0.5, 0.4, 0.3)) is None
    assert first_difference(kept, write(tmp_path / "other.jsonl", 0.5, 0.4000001, 0.3)) == 2
    assert first_difference(kept, write(tmp_path / "short.jsonl", 0.5, 0.4)) == 3
    assert first_difference(tmp_path / "gone.jsonl", kept) is None
