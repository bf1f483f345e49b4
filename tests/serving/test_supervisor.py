"""The supervisor makes what is live what shall be live, and keeps it so."""

import threading
import time

import psutil
import pytest
from sqlalchemy import select

from brewslm.pipeline.execute import call
from brewslm.serving import locate, supervisor, wait_for
from brewslm.serving.endpoints import supervisor_runs, wanting
from brewslm.serving.supervisor import Supervisor
from brewslm.serving.traffic import using
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder
from brewslm.store.tables import DeploymentVersion, RunEvent, Slot
from tests.experiments import adopt_bundle, make_experiment
from tests.running import gone, until


@pytest.fixture
def export(project, tiny_model, tiny_adapter, tiny_bundle):
    return adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)


@pytest.fixture
def version(export):
    """A version in the slot, put there without a promote."""
    made = call("test", CreateRequest(export=export)).result["deployment"]
    point_to(made)
    return made


@pytest.fixture
def running(monkeypatch):
    monkeypatch.setattr(supervisor, "DRAIN_SECONDS", 1.0)
    made = Supervisor()
    made.start()
    yield made
    made.stop()


def point_to(version_id):
    with transaction() as session:
        for slot in session.scalars(select(Slot)):
            slot.version_id = version_id
        if version_id is not None and session.scalars(select(Slot)).first() is None:
            project = session.get_one(DeploymentVersion, version_id).project_id
            session.add(Slot(project_id=project, name="default", version_id=version_id))


def events():
    with reading() as session:
        return [event.reason_code for event in session.scalars(select(RunEvent).order_by(RunEvent.id))]


def test_the_version_in_the_slot_is_served_and_ends_with_the_supervisor(version):
    assert locate(version) is None
    made = Supervisor()
    made.start()
    endpoint = wait_for(version, 60)
    assert endpoint is not None and endpoint.model == "default-v1"
    process = psutil.Process(endpoint.pid)
    made.stop()
    assert locate(version) is None and not supervisor_runs()
    gone([process])


def test_a_server_that_was_killed_is_started_again_and_that_is_told(version, running):
    first = wait_for(version, 60)
    psutil.Process(first.pid).kill()
    again = until(lambda: (found := locate(version)) and found.pid != first.pid and found, "a new server")
    assert psutil.pid_exists(again.pid)
    assert events().count("model_server_restarted") == 1


def test_a_server_that_nobody_wants_any_more_ends(version, running):
    process = psutil.Process(wait_for(version, 60).pid)
    point_to(None)
    until(lambda: locate(version) is None, "its end")
    gone([process])
    assert "model_server_restarted" not in events()


def test_a_server_that_a_gateway_is_using_is_kept_until_the_request_has_ended(version, running):
    process = psutil.Process(wait_for(version, 60).pid)
    with using(version):
        point_to(None)
        served = until(lambda: (one := running._served[version]).unwanted_since and one, "the drain")
        until(lambda: time.monotonic() - served.unwanted_since > 2 * supervisor.DRAIN_SECONDS, "more than the time of a drain")
        assert not served.drained() and locate(version)
    until(lambda: locate(version) is None, "its end")
    gone([process])


def test_a_version_that_is_only_tried_is_served_for_as_long(export, running):
    tried = call("test", CreateRequest(export=export)).result["deployment"]
    with wanting(tried):
        assert wait_for(tried, 60)
    until(lambda: locate(tried) is None, "its end")


def test_promote_asks_the_server_that_goes_on_serving(export, running):
    version = call("test", CreateRequest(export=export)).result["deployment"]
    seen = []
    watcher = threading.Thread(target=lambda: seen.append(wait_for(version, 60)))
    watcher.start()
    promoted = call("test", PromoteRequest(deployment=version))
    watcher.join()
    assert promoted.result["same"] == promoted.result["asked"] == 32
    assert locate(version) == seen[0]


def test_a_file_that_can_not_be_served_is_tried_with_growing_pauses(version, export, monkeypatch):
    with reading() as session:
        path = session.get_one(DeploymentVersion, version)
        file = next((project_folder(path.project_id) / "exports" / export / "gguf-q8_0").iterdir())
    file.write_bytes(b"no model")
    made = Supervisor()
    try:
        made.reconcile()
        served = made._served[version]
        until(lambda: made.reconcile() or served.failures == 1, "the first failure")
        assert served.not_before > 0 and locate(version) is None
        made.reconcile()
        assert served._server is None
    finally:
        made.stop()
    assert events().count("model_server_restarted") == 0


def test_a_round_that_fails_does_not_end_the_supervisor(version):
    rounds = []

    class Faulty(Supervisor):
        def reconcile(self):
            rounds.append(1)
            if len(rounds) == 1:
                raise OSError("no space left")
            super().reconcile()

    made = Faulty()
    made.start()
    try:
        assert wait_for(version, 60)
    finally:
        made.stop()


def test_a_second_supervisor_of_the_home_stands_back(version, running):
    wait_for(version, 60)
    second = Supervisor()
    second.start()
    second.stop()
    assert supervisor_runs() and locate(version)


def test_an_endpoint_left_by_a_dead_server_is_not_believed(version):
    from brewslm.serving.endpoints import endpoint_file
    from brewslm.store.files import write_json

    write_json(endpoint_file(version), {"base_url": "http://127.0.0.1:9/v1", "model": "old", "pid": 1})
    assert locate(version) is None
