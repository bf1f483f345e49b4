"""What a run that failed leaves: which fault it was, in the event; and what that was made of, in the run's folder."""

import orjson
import pytest

from brewslm.observe.clusters import cluster, clusters
from brewslm.pipeline import execute, failures
from brewslm.pipeline.execute import RunFailed, call
from brewslm.processes.environment import FILE as ENVIRONMENT
from brewslm.processes.origin import STOPPED
from brewslm.store.database import reading, transaction
from brewslm.store.files import read_json, run_folder, write_json
from brewslm.store.tables import Run, RunEvent
from tests.probe import SECRET, HeavyProbeRequest, ProbeRequest

pytestmark = pytest.mark.usefixtures("probes")


def fails(request) -> str:
    """Its signature."""
    with pytest.raises(RunFailed):
        call("ana", request)
    with reading() as session:
        newest = session.query(RunEvent).order_by(RunEvent.id.desc()).first()
        return orjson.loads(newest.payload)["signature"]


def faults(run_id: str) -> list[dict]:
    return [orjson.loads(line) for line in (run_folder(run_id) / failures.FILE).read_bytes().splitlines()]


def test_a_fault_has_one_signature_and_each_other_fault_another(project):
    here = [
        fails(ProbeRequest(project=project, action=action)) for action in ("crash", "crash", "refuse", "fail to record", "memory")
    ]
    assert here[0] == here[1] and len(set(here)) == 4
    assert [one.count for one in clusters(project)] == [1, 1, 1, 2]
    (kept,) = faults("probe-1")
    assert (kept["exception"], kept["frames"][-1], kept["cause"], kept["attempt"]) == ("ValueError", "probe.py:run", "crashed", 1)
    assert kept["environment"] == read_json(run_folder("probe-1") / ENVIRONMENT) and "python" in kept["environment"]
    assert faults("probe-3")[0]["said"] == "the probe was refused; it is not there"
    assert SECRET not in "".join(str(faults(f"probe-{number}")) for number in range(1, 6))


def test_a_child_tells_where_it_crashed_and_how_it_was_killed(project):
    crashed, killed = (fails(HeavyProbeRequest(project=project, action=action)) for action in ("crash", "kill"))
    assert crashed != killed and fails(HeavyProbeRequest(project=project, action="kill")) == killed
    (kept,) = faults("heavy-1")
    assert (kept["exception"], kept["frames"][-1]) == ("ValueError", "probe.py:run") and SECRET not in str(kept)
    newest, _ = clusters(project)
    assert (newest.count, newest.exception, newest.happening) == (2, "", True) and "SIGKILL" in newest.said


def test_what_a_person_stopped_is_no_failure(project):
    queued = execute.queue("ana", ProbeRequest(project=project, action="finish"))
    execute.cancel("ana", queued.task_id)
    with reading() as session:
        (event,) = session.query(RunEvent)
        assert orjson.loads(event.payload)["signature"] == STOPPED
    assert clusters(project) == [] and not (run_folder("probe-1") / failures.FILE).exists()


def test_a_cluster_tells_what_changed_before_the_next_success_and_nothing_else(project):
    fails(ProbeRequest(project=project, action="crash"))
    (one,) = clusters(project)
    assert one.happening and cluster(one.id).changes == []
    call("ana", ProbeRequest(project=project, action="finish"))
    call("ana", ProbeRequest(project=project, action="attempt"))
    (one,) = clusters(project)
    (change,) = cluster(one.id).changes
    assert not one.happening and (change.failed_run, change.next_run, change.resumed) == ("probe-1", "probe-2", False)
    assert [(each.field, each.before, each.after) for each in change.request] == [("action", "crash", "finish")]
    assert change.job == [] and change.environment == []  # the job says the same once more


def test_a_resumed_run_is_held_against_itself(project):
    fails(HeavyProbeRequest(project=project, action="crash"))
    folder = run_folder("heavy-1")
    job = read_json(folder / "job.json")
    write_json(folder / "job.json", job | {"job": {"action": "finish"}})  # as a smaller job that a retry writes
    line = faults("heavy-1")[0]
    (folder / failures.FILE).write_bytes(orjson.dumps(line | {"environment": line["environment"] | {"torch": "1.0"}}) + b"\n")
    execute.resume("ana", "heavy-1", timeout_minutes=2)
    execute.perform("heavy-1")
    (one,) = clusters(project)
    (change,) = cluster(one.id, project).changes
    assert change.resumed and [(each.field, each.after) for each in change.job] == [("time_limit_seconds", 120)]
    assert [(each.field, each.before) for each in change.environment] == [("torch", "1.0")]


def test_where_the_run_is_not_known_any_more_the_cluster_still_is(project):
    fails(ProbeRequest(project=project, action="crash"))
    with transaction() as session:
        session.delete(session.get_one(Run, "probe-1"))
    (one,) = clusters()
    assert one.happening is None and cluster(one.id).changes == []
