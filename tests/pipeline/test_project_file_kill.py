"""kill -9 of `brewslm pipeline run` in the middle of a training: the same command again goes on at the checkpoint."""

import json

import orjson
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.pipeline import execute
from brewslm.store.database import reading
from brewslm.store.tables import RunEvent
from tests.experiments import rows
from tests.running import gone, ours, until

FILE = """
contract_version: slm.project/v1
project: {name: mine, base_model: "path:%s"}
sources:
  - {locator: jsonl:rows.jsonl, mapper: label_to_classification, field_map: {text: text, label: label}}
prepare: {}
train: {settings: {epochs: 12, checkpoints: 12, batch_size: 8}}
"""


@pytest.mark.slow
def test_a_killed_pipeline_goes_on_at_the_checkpoint_of_its_training(home, tmp_path, tiny_model):
    file = tmp_path / "brewslm.yaml"
    file.write_text(FILE % tiny_model)
    (tmp_path / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row["payload"]) + b"\n" for row in rows(160)))
    with ours(["pipeline", "run", str(file)], tmp_path / "log") as running:
        checkpoints = home / "projects" / "1" / "experiments" / "exp-1" / "checkpoints"
        until(lambda: list(checkpoints.glob("checkpoint-*/COMPLETE.json")), "a checkpoint", 300)
        gone(running.kill())
    assert execute.look("pipeline-1").state == execute.look("exp-1").state == "interrupted"
    done = CliRunner().invoke(app, ["pipeline", "run", str(file), "--json"])
    assert done.exit_code == 0, done.stdout + done.stderr
    view = json.loads(done.stdout)
    assert (view["task_id"], view["attempt"], execute.look("exp-1").attempt) == ("pipeline-1", 2, 2)
    assert {step["operation"]: step["run"] for step in view["result"]["steps"]}["train.run"] == "exp-1"
    with reading() as session:
        codes = list(session.scalars(select(RunEvent.reason_code).where(RunEvent.run_id == "exp-1")))
    assert codes == ["training_resumed", "training_completed"]
