"""A probe does two real steps on the longest batch, in a child of its own; one that is out of memory is a finding."""

import resource

import psutil
import pytest

from brewslm.models.packing import Example
from brewslm.models.recipe import recipe_named
from brewslm.pipeline.execute import call
from brewslm.pipeline.probing import longest_batch
from brewslm.processes.trace import read_trace
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.store.database import reading
from brewslm.store.files import run_folder
from brewslm.store.tables import Experiment, RunEvent
from tests.running import hold
from tests.synthetic import add_rows, reviews


@pytest.fixture
def prepared(project):
    add_rows(project, reviews(90))
    call("test", PrepareRequest(project=project, train_rows=40, dev_rows=8, eval_rows=40))
    return project


def probed(project: int, base, on_progress=None, **settings: str):
    request = PreflightRequest(project=project, base_model=f"path:{base}", settings={"batch_size": "8"} | settings, probe=True)
    return call("test", request, on_progress=on_progress)


@pytest.mark.usefixtures("warm_children")
def test_it_measures_two_steps_on_the_longest_batch_and_leaves_no_experiment_and_no_event(prepared, tiny_model):
    with reading() as session:
        before = session.query(RunEvent).count()
    view = probed(prepared, tiny_model)
    probe = view.result["probe"]
    assert view.result["passed"] and probe["rows"] == 8 and probe["seconds_per_step"] > 0
    assert probe["estimated_bytes"] == view.result["plan"]["memory_bytes"]["total"]
    assert 2**27 < probe["peak_memory_bytes"] < 2**32
    steps = read_trace(run_folder(view.task_id) / "probe" / "trace.jsonl", "step")
    assert [step["step"] for step in steps] == [1, 2] and set(steps[0]["row_ids"]) == set(steps[1]["row_ids"])
    longest = view.result["plan"]["longest_tokens"]
    assert probe["tokens"] > 8 * (longest - 8), "these are the longest rows"
    with reading() as session:
        assert session.query(RunEvent).count() == before and session.query(Experiment).count() == 0


def test_one_that_runs_out_of_memory_is_a_finding_with_what_was_estimated(prepared, tiny_model, monkeypatch, tmp_path):
    add_rows(prepared, [{"text": f"{n} {'a lovely dull film ' * 60}", "label": "positive"} for n in range(600)], "long")
    call("test", PrepareRequest(project=prepared, train_rows=500, dev_rows=0, eval_rows=40))

    others = psutil.Process().children()
    limiting = hold(monkeypatch, tmp_path, "rows", 1)

    def leave_little(done, _total, unit, _figures):
        for child in set(psutil.Process().children()).difference(others) if unit == "rows" and done else ():
            limit = (child.memory_info().data + 7 * 2**26, resource.RLIM_INFINITY)
            resource.prlimit(child.pid, resource.RLIMIT_DATA, limit)
            limiting.let_go()

    result = probed(prepared, tiny_model, leave_little, batch_size="500", pack_tokens="1000000").result
    assert not result["passed"] and result["probe"] is None
    (found,) = [finding for finding in result["findings"] if finding["code"].startswith("probe")]
    assert (found["code"], found["severity"], found["fatal"]) == ("probe_out_of_memory", "blocker", False)
    assert "estimated" in found["limit"] and "pack_tokens" in found["next_step"]


def test_the_longest_batch_is_the_one_whose_pass_has_most_tokens():
    lengths = [10, 300, 10, 200, 10, 250, 10, 10]
    rows = [Example(str(at), [at] * length, 5) for at, length in enumerate(lengths)]
    recipe = recipe_named("qa", {"batch_size": "3", "pack_tokens": "100000"})
    assert {row.row_id for row in longest_batch(recipe, rows)} == {"1", "3", "5"}
    one_each = recipe_named("qa", {"batch_size": "2", "pack_tokens": "10"})
    assert "1" in {row.row_id for row in longest_batch(one_each, rows)}
