"""A child that may map only so much memory really runs out of it; what is then tried, and what is told."""

import os

import orjson
import pytest

from brewslm.pipeline import training
from brewslm.pipeline.execute import RunFailed, call
from brewslm.processes.trace import read_trace
from brewslm.stages import preflight
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.train import TrainRequest
from brewslm.store.database import reading
from brewslm.store.files import run_folder
from brewslm.store.tables import RunEvent
from tests.processes.test_child import ROOT
from tests.stages.train.small import SMALL, job_for
from tests.synthetic import add_rows, own_words
from tests.tiny import make_tiny_model

WHOLE = "1000000"


@pytest.fixture
def child_may_map(monkeypatch, tmp_path):
    """Limits the address space, in KiB, of every heavy child that is started from here on, and of nothing else."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests' / 'limit_path'}{os.pathsep}{ROOT}")
    monkeypatch.setenv("CHILD_PEAK", str(tmp_path / "peak"))
    return lambda most: monkeypatch.setenv("CHILD_MAY_MAP", str(most))


@pytest.fixture
def measured(long_rows, wide_model, child_may_map, tmp_path):
    """What a step in one pass maps at its peak, and what one in halves does (KiB); and that run, exp-2."""
    call("test", asked(long_rows, wide_model, pack_tokens=WHOLE))
    whole = int((tmp_path / "peak").read_text())
    longest = read_trace(run_folder("exp-1") / "trace.jsonl", "packs")[0]["longest_pack"]
    halved = call("test", asked(long_rows, wide_model, pack_tokens=str(longest // 2)))
    half = int((tmp_path / "peak").read_text())
    assert whole - half > 100_000, "the difference is too small to set a limit between"
    return whole, half, halved.result["adapter_sha256"]


@pytest.fixture(scope="module")
def wide_model(tmp_path_factory):
    """Eight times as wide as the tiny one: what a pass keeps for its way back is most of what it takes."""
    return make_tiny_model(tmp_path_factory.mktemp("wide") / "model", hidden=512)


@pytest.fixture
def long_rows(project):
    """64 rows of some 430 tokens, all in one step."""
    many = [{"text": f"{own_words(n)} {own_words(n + 1000)} " * 8, "label": "ab"[n % 2]} for n in range(80)]
    add_rows(project, many)
    call("test", PrepareRequest(project=project, train_rows=64, dev_rows=0, eval_rows=16))
    return project


def asked(project, model, **settings) -> TrainRequest:
    settings = SMALL | {"epochs": "1", "batch_size": "64", "lora_top_layers": "1", "learning_rate": "0.001"} | settings
    return TrainRequest(project=project, base_model=f"path:{model}", settings=settings, fail_open=True)


def told(run_id: str) -> list[tuple[str, dict]]:
    with reading() as session:
        found = session.query(RunEvent).filter_by(run_id=run_id).order_by(RunEvent.id)
        return [(event.reason_code, orjson.loads(event.payload)) for event in found]


@pytest.mark.slow
def test_a_run_out_of_memory_succeeds_with_half_of_it_as_if_it_had_been_asked_so(long_rows, wide_model, child_may_map, measured):
    whole, half, halved = measured
    child_may_map((whole + half) // 2)
    view = call("test", asked(long_rows, wide_model, pack_tokens=WHOLE))
    assert (view.state, view.attempt, view.result["adapter_sha256"]) == ("succeeded", 2, halved)
    (retried, payload), (completed, _) = told(view.task_id)
    assert (retried, completed) == ("training_retried_smaller", "training_completed") and payload["attempt"] == 2


@pytest.mark.slow
def test_what_is_still_too_large_after_two_retries_is_told_as_out_of_memory(long_rows, wide_model, child_may_map, tmp_path):
    call("test", asked(long_rows, wide_model, pack_tokens="6000"))  # a quarter of what is asked for below
    child_may_map(int((tmp_path / "peak").read_text()) - 100_000)
    with pytest.raises(RunFailed) as failed:
        call("test", asked(long_rows, wide_model, pack_tokens="24000"))
    view = failed.value.view
    assert (view.state, view.attempt, view.problem["code"]) == ("failed", 3, "training_oom") and failed.value.error.next_step
    codes = [code for code, _ in told(view.task_id)]
    assert codes == ["training_retried_smaller", "training_retried_smaller", "training_oom"]


@pytest.mark.parametrize(
    ("longest_pack", "longest_row", "pack_tokens"),
    [(1000, 100, 500), (1000, 800, 800), (1000, 500, 500), (1000, 950, None), (455, 455, None), (456, 456, None)],
)
def test_half_is_tried_where_it_makes_the_largest_pass_smaller(tmp_path, tiny_model, longest_pack, longest_row, pack_tokens):
    job = job_for(tmp_path, tiny_model)
    checks = preflight.PreflightJob.model_construct(recipe=job.recipe)
    dispatch = training.DispatchJob.model_construct(preflight=checks, train=job, fail_open=True, retries=0)
    line = {"kind": "packs", "ts": 1.0, "longest_pack": longest_pack, "longest_row": longest_row}
    (tmp_path / "trace.jsonl").write_bytes(orjson.dumps(line) + b"\n")
    found = training.smaller(dispatch, 2, tmp_path)
    assert (found and found[0].train.recipe.pack_tokens) == pack_tokens
    if found:
        assert found[0].preflight.recipe == found[0].train.recipe and found[0].retries == 1
        assert training.smaller(found[0].model_copy(update={"retries": training.RETRIES}), 4, tmp_path) is None
