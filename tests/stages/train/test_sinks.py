"""The trace for other tools: what they read is what the trace says, and without their library it is refused beforehand."""

import sys

import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.pipeline.execute import RunFailed, call
from brewslm.processes.context import ChildContext
from brewslm.processes.trace import read_trace
from brewslm.stages.train.sinks import ToldOnce, store_address
from tests.stages.train.small import job_for, steps, train, train_until

LONG = {"epochs": "4", "checkpoints": "5"}


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_without_its_library_a_sink_is_refused_before_anything_is_trained(request_for, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(RunFailed) as failed:
        call("test", request_for(log_to=name))
    problem = failed.value.view.problem
    assert problem["code"] == "dependency_missing" and problem["next_step"] == f"pip install 'brewslm[{name}]'"


def test_a_sink_that_fails_is_told_of_once_and_training_goes_on(tmp_path):
    class Full:
        """As a library whose disk is full, or whose server is gone."""

        asked = 0

        def figures(self, step, figures):
            self.asked += 1
            raise OSError("no room for it")

        def close(self):
            raise AssertionError("it was left alone")

    sink, context = Full(), ChildContext(tmp_path)
    told = ToldOnce(sink, "mlflow", "exp-1", context)
    context.listen(told.line)
    for step in (1, 2):
        context.trace("step", step=step, loss=0.5)
    told.close()
    lines = read_trace(tmp_path / "trace.jsonl")
    assert [line["kind"] for line in lines] == ["step", "reason", "step"] and sink.asked == 1
    assert lines[1]["code"] == "trace_sink_lost" and lines[1]["payload"]["error"].startswith("OSError at ")
    assert "no room" not in str(lines)


def test_a_misspelt_sink_gets_a_did_you_mean():
    done = CliRunner().invoke(app, ["train", "--project", "1", "--log-to", "mlflo"])
    assert done.exit_code == 2 and "did you mean mlflow?" in done.output


def traced(job, name):
    """(step, value) of every line that has it."""
    lines = steps(job, "step") + steps(job, "eval")
    return [(line["step"], pytest.approx(line[name], rel=1e-5)) for line in lines if name in line]


def test_tensorboard_shows_what_the_trace_says_also_after_a_resume(tmp_path, tiny_model):
    pytest.importorskip("tensorboard", reason="an extra: pip install 'brewslm[tensorboard]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    job = job_for(tmp_path, tiny_model, dev=4, **LONG).model_copy(update={"log_to": "tensorboard"})
    train_until(job, 11)
    train(job)
    seen = EventAccumulator(str(job.output / "tensorboard")).Reload()
    for name in ("loss", "dev_loss", "grad_norm", "supervised_tokens_per_second", "memory_bytes"):
        assert [(one.step, one.value) for one in seen.Scalars(name)] == traced(job, name), name
    assert "row_ids" not in seen.Tags()["scalars"]


def test_mlflow_shows_what_the_trace_says(tmp_path, tiny_model):
    pytest.importorskip("mlflow", reason="an extra: pip install 'brewslm[mlflow]'")
    from mlflow.tracking import MlflowClient

    job = job_for(tmp_path, tiny_model, dev=4, **LONG).model_copy(update={"log_to": "mlflow"})
    train(job)
    client = MlflowClient(tracking_uri=store_address(job.output / "mlflow"))
    (run,) = client.search_runs([client.get_experiment_by_name("exp-1").experiment_id])
    assert run.info.status == "FINISHED"
    for name in ("loss", "dev_loss"):
        assert [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, name)] == traced(job, name), name
