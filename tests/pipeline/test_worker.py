"""Workers: each queued run is begun once, whatever is killed, and whoever queued it."""

import threading

import pytest
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.pipeline import execute, runs
from brewslm.store.database import reading, transaction
from brewslm.store.files import run_folder
from brewslm.store.locks import is_held, lock
from brewslm.store.tables import Run, RunEvent
from tests.probe import HeavyProbeRequest, ProbeRequest
from tests.running import PATIENCE_SECONDS, gone, ours, until, working_here

pytestmark = pytest.mark.usefixtures("probes")


def state(task_id):
    return execute.look(task_id).state


def ended(task_id):
    until(lambda: state(task_id) in runs.ENDED, f"the end of {task_id}")
    return execute.look(task_id)


def events_of(task_id):
    with reading() as session:
        return list(session.scalars(select(RunEvent.reason_code).where(RunEvent.run_id == task_id)))


def worker(home, name="second"):
    return ours(["worker", "--name", name], home / f"{name}.log")


def test_what_was_queued_before_the_worker_and_beside_it_is_performed_once(project):
    before = execute.queue("api", ProbeRequest(project=project, action="finish"))
    assert before.state == "queued"
    with working_here():
        beside = execute.queue("cli", HeavyProbeRequest(project=project, action="finish"))
        for view in (ended(before.task_id), ended(beside.task_id)):
            assert (view.state, view.attempt) == ("succeeded", 1)
    with working_here():  # the same rows again: there is nothing to do
        assert state(ended(execute.queue("api", ProbeRequest(project=project, action="finish")).task_id).task_id) == "succeeded"
    assert execute.look(before.task_id).attempt == 1 and events_of(before.task_id) == ["training_resumed"] * 2


def test_a_run_that_fails_is_not_tried_again(project):
    with working_here():
        failed = ended(execute.queue("api", ProbeRequest(project=project, action="crash")).task_id)
        ended(execute.queue("api", ProbeRequest(project=project, action="finish")).task_id)
    assert (failed.state, failed.attempt, failed.problem["code"]) == ("failed", 1, "training_runtime_error")
    assert events_of(failed.task_id) == ["training_resumed", "training_runtime_error"]


def test_a_foreground_run_is_never_taken_by_a_worker(project):
    opened = execute._open("cli", ProbeRequest(project=project, action="finish"), None, None, "running")  # and there it died
    with working_here():
        ended(execute.queue("api", ProbeRequest(project=project, action="finish")).task_id)
    assert (state(opened), execute.look(opened).attempt) == ("interrupted", 0)


def test_what_was_cancelled_before_it_began_can_be_resumed(project):
    from dbos import DBOS

    with working_here():
        busy = execute.queue("api", HeavyProbeRequest(project=project, action="wait for go")).task_id
        waiting = execute.queue("api", HeavyProbeRequest(project=project, action="finish")).task_id
        until(lambda: DBOS.get_workflow_status(f"{waiting}:1"), "its place in the queue")
        assert execute.cancel("api", waiting).state == "cancelled"
        until(lambda: state(busy) == "running", "the begin of the other")
        run_folder(busy).joinpath("go").touch()
        until(lambda: DBOS.get_workflow_status(f"{waiting}:1").status == "SUCCESS", "its turn, for which there was nothing to do")
        assert state(waiting) == "cancelled"
        execute.resume("api", waiting, detach=True)
        until(lambda: state(waiting) == "succeeded", "the resumed run")
    with pytest.raises(StageError, match="can't be resumed"):
        execute.resume("api", waiting, detach=True)


def test_cancelling_and_resuming_again_and_again_never_loses_a_run(project):
    with working_here():
        for _ in range(3):
            task = execute.queue("api", ProbeRequest(project=project, action="wait for go")).task_id
            until(lambda task=task: state(task) == "running", "its begin")
            execute.cancel("api", task)
            assert ended(task).state == "cancelled"
            run_folder(task).joinpath("go").touch()
            execute.resume("api", task, detach=True)
            until(lambda task=task: state(task) == "succeeded", "the resumed run")


def test_a_run_that_this_version_can_not_read_is_closed_and_the_next_one_is_taken(project):
    old = execute.queue("api", ProbeRequest(project=project, action="finish")).task_id
    older = execute.queue("api", ProbeRequest(project=project, action="finish")).task_id
    with transaction() as session:
        session.get_one(Run, old).operation = "gone.run"
        session.get_one(Run, older).request = {"words": "of an older version"}
    with working_here():
        for task in (old, older):
            assert ended(task).problem["code"] == "operation_failed"
            until(lambda task=task: events_of(task) == ["operation_failed"], "its event, which has a transaction of its own")
        assert ended(execute.queue("api", ProbeRequest(project=project, action="finish")).task_id).state == "succeeded"


def test_a_second_worker_of_the_same_name_is_refused(home):
    with working_here("one"), pytest.raises(StageError) as refused, working_here("one"):
        pass
    assert refused.value.reason.code == "worker_name_taken"
    with working_here("one"):
        pass


def test_a_worker_killed_in_mid_run_leaves_no_child_and_goes_on_after_its_restart(project, home):
    task = execute.queue("api", HeavyProbeRequest(project=project, action="wait for go")).task_id
    waiting = execute.queue("api", HeavyProbeRequest(project=project, action="finish")).task_id
    with worker(home) as first:
        until(lambda: (execute.look(task).progress or {}).get("figures", {}).get("pid"), "the child's word")
        children = first.kill()
    assert children
    gone(children)
    assert (state(task), state(waiting)) == ("interrupted", "queued")
    run_folder(task).joinpath("go").touch()
    with worker(home):
        view = ended(task)
        ended(waiting)
    assert (view.state, view.attempt) == ("succeeded", 2)
    assert events_of(task).count("training_resumed") == 3  # told by each attempt, and once at the end
    assert execute.look(waiting).attempt == 1


def test_two_workers_do_each_run_once(project, home):
    tasks = [execute.queue("api", ProbeRequest(project=project, action="finish")).task_id for _ in range(12)]
    tasks += [execute.queue("api", HeavyProbeRequest(project=project, action="finish")).task_id for _ in range(2)]
    with worker(home, "left"), worker(home, "right"):
        views = [ended(task) for task in tasks]
    assert [(view.state, view.attempt) for view in views] == [("succeeded", 1)] * 14
    assert all(events_of(task) == ["training_resumed"] * 2 for task in tasks)


@pytest.mark.slow
def test_a_live_worker_leaves_the_runs_of_a_dead_one_to_it(project, home):
    task = execute.queue("api", HeavyProbeRequest(project=project, action="wait for go")).task_id
    with worker(home, "left") as left:
        until(lambda: state(task) == "running", "its begin")
        with worker(home, "right"):
            gone(left.kill())
            run_folder(task).joinpath("go").touch()
            assert ended(execute.queue("api", ProbeRequest(project=project, action="finish")).task_id).state == "succeeded"
            assert execute.look(task).attempt == 1
        with worker(home, "left"):
            assert (ended(task).state, execute.look(task).attempt) == ("succeeded", 2)


def test_a_stopped_worker_waits_for_no_run(project, home):
    task = execute.queue("api", HeavyProbeRequest(project=project, action="wait for go")).task_id
    with worker(home) as running:
        until(lambda: (execute.look(task).progress or {}).get("figures", {}).get("pid"), "the child's word")
        children = running.descendants()
        running.process.terminate()
        assert running.process.wait(PATIENCE_SECONDS) == 0
        gone(children)
    assert state(task) == "interrupted"


def test_asking_for_a_state_never_looks_like_executing(project):
    task = execute.queue("api", ProbeRequest(project=project, action="finish")).task_id
    path = runs.run_lock_path(task)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    stop = threading.Event()
    seen = []

    def ask():
        while not stop.is_set():
            seen.append(is_held(path))

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    taken = 0
    while taken < 200 or len(seen) <= 200:  # until both sides had their turns: one can be done before the others get any
        with lock(path, wait=False):  # raised Held here when a probe was taken for a holder
            taken += 1
    stop.set()
    for asker in askers:
        asker.join()
