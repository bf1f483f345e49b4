"""A run that was too large is tried again smaller; one that was paused goes on where it was."""

import pytest

from brewslm.pipeline import execute
from brewslm.pipeline.execute import RunFailed, call, perform, resume
from brewslm.store.database import reading
from brewslm.store.tables import Experiment, RunEvent
from tests.running import hold

pytestmark = pytest.mark.usefixtures("warm_children")


def adapter(run_id: str) -> str:
    with reading() as session:
        return session.get_one(Experiment, run_id).adapter_sha256


def codes(run_id: str) -> list[str]:
    with reading() as session:
        return [event.reason_code for event in session.query(RunEvent).order_by(RunEvent.id) if event.run_id == run_id]


def test_a_pause_writes_a_checkpoint_and_a_resume_goes_on_there_to_the_same_weights(request_for, monkeypatch, tmp_path):
    straight = adapter(call("test", request_for()).task_id)
    pausing = hold(monkeypatch, tmp_path, "step", 2)

    def pause_at_step_2(done, _total, unit, _figures):
        if unit == "step" and done == 2:
            execute.pause("test", "exp-2")
            pausing.let_go()

    with pytest.raises(RunFailed) as paused:
        call("test", request_for(), on_progress=pause_at_step_2)
    assert (paused.value.view.state, codes("exp-2")) == ("paused", ["training_paused"])
    assert paused.value.view.problem["code"] == "training_paused"
    view = perform(resume("test", "exp-2"))
    assert (view.state, view.attempt, adapter("exp-2")) == ("succeeded", 2, straight)
    assert codes("exp-2") == ["training_paused", "training_resumed", "training_completed"]


def test_what_does_not_run_or_can_not_wait_is_not_paused(request_for, prepared):
    for run_id, cause in (("prepare-1", "prepare.run can't wait"), (call("test", request_for()).task_id, "succeeded")):
        with pytest.raises(execute.StageError) as refused:
            execute.pause("test", run_id)
        assert refused.value.reason.code == "run_conflict" and cause in refused.value.cause
