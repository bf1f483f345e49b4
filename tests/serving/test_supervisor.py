"""The supervisor makes what is live what shall be live, and keeps it so."""

import threading
import time

import psutil
import pytest
from sqlalchemy import select

from brewslm.observe.deployments import deployments
from brewslm.pipeline.execute import RunFailed, call
from brewslm.serving import locate, supervisor, wait_for
from brewslm.serving.endpoints import failure_of, supervisor_runs, wanting
from brewslm.serving.supervisor import Supervisor
from brewslm.serving.targets import TARGETS
from brewslm.serving.targets.local import LocalTarget
from brewslm.serving.traffic import using
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder, sha256
from brewslm.store.tables import DeploymentVersion, Export, RunEvent, Slot
from tests.experiments import adopt_bundle, make_experiment
from tests.running import PATIENCE_SECONDS, gone, until


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
    endpoint = wait_for(version, PATIENCE_SECONDS)
    assert endpoint is not None and endpoint.model == "default-v1"
    process = psutil.Process(endpoint.pid)
    made.stop()
    assert locate(version) is None and not supervisor_runs()
    gone([process])


def test_a_server_that_was_killed_is_started_again_and_that_is_told(version, running):
    first = wait_for(version, PATIENCE_SECONDS)
    psutil.Process(first.pid).kill()
    again = until(lambda: (found := locate(version)) and found.pid != first.pid and found, "a new server")
    assert psutil.pid_exists(again.pid)
    assert events().count("model_server_restarted") == 1


def test_a_server_that_nobody_wants_any_more_ends(version, running):
    process = psutil.Process(wait_for(version, PATIENCE_SECONDS).pid)
    point_to(None)
    until(lambda: locate(version) is None, "its end")
    gone([process])
    assert "model_server_restarted" not in events()


def test_a_server_that_a_gateway_is_using_is_kept_until_the_request_has_ended(version, running):
    process = psutil.Process(wait_for(version, PATIENCE_SECONDS).pid)
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
        assert wait_for(tried, PATIENCE_SECONDS)
    until(lambda: locate(tried) is None, "its end")


def test_promote_asks_the_server_that_goes_on_serving(export, running, monkeypatch):
    monkeypatch.setattr(supervisor, "DRAIN_SECONDS", PATIENCE_SECONDS)  # from the end of the asking until the commit
    version = call("test", CreateRequest(export=export)).result["deployment"]
    seen = []
    watcher = threading.Thread(target=lambda: seen.append(wait_for(version, PATIENCE_SECONDS)))
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
        served.not_before += PATIENCE_SECONDS  # however long this test is kept waiting
        made.reconcile()
        assert served._server is None
    finally:
        made.stop()
    assert events().count("model_server_restarted") == 0


def test_a_promote_is_told_at_once_why_the_supervisor_can_not_start_it(export, running, monkeypatch):
    """Not when its time is over, that it was not ready."""
    with reading() as session:
        made = session.get_one(Export, export)
        file = project_folder(made.project_id) / made.path / made.artifacts["gguf-f16"]["path"]
    file.write_bytes(b"GGUF, but not really")
    with transaction() as session:  # as if it had been exported so
        made = session.get_one(Export, export)
        made.artifacts = made.artifacts | {"gguf-f16": made.artifacts["gguf-f16"] | {"sha256": sha256(file)}}
    version = call("test", CreateRequest(export=export, variant="gguf-f16")).result["deployment"]
    monkeypatch.setattr(LocalTarget, "ready_seconds", 5 * PATIENCE_SECONDS)
    began = time.monotonic()
    with pytest.raises(RunFailed) as failed:
        call("test", PromoteRequest(deployment=version))
    assert failed.value.error.reason.code == "deployment_smoke_failed"
    assert "did not start: it ended with status 1; last it said" in str(failed.value.error)
    assert time.monotonic() - began < 5 * PATIENCE_SECONDS and deployments(1)[0].state == "pending"


def test_a_target_that_raises_anything_does_not_stop_the_others(version, export, monkeypatch):
    class Broken(LocalTarget):
        name = "broken"

        def start(self, servable, log):
            raise ZeroDivisionError("somebody's row")

    monkeypatch.setitem(TARGETS._built_in, "broken", Broken())
    other = call("test", CreateRequest(export=export, endpoint="other", target="broken")).result["deployment"]
    with transaction() as session:
        session.add(Slot(project_id=1, name="other", version_id=other))
    made = Supervisor()
    try:
        made.reconcile()
        assert "ZeroDivisionError" in failure_of(other) and "somebody" not in failure_of(other)
        assert made._served[other].not_before > 0
        until(lambda: made.reconcile() or locate(version), "the other one")
        assert locate(other) is None
        assert "ZeroDivisionError" in next(one.problem for one in deployments(1) if one.id == other)
    finally:
        made.stop()
    assert failure_of(other) is None


def test_a_server_elsewhere_is_published_like_our_own_and_left_alone(export, running):
    settings = {"url": "http://127.0.0.1:9/v1", "model": "theirs"}
    version = call("test", CreateRequest(export=export, target="endpoint", settings=settings)).result["deployment"]
    point_to(version)
    found = wait_for(version, PATIENCE_SECONDS)
    assert (found.base_url, found.model, found.pid) == ("http://127.0.0.1:9/v1", "theirs", 0)
    point_to(None)
    until(lambda: locate(version) is None, "its end")


def test_the_settings_of_a_version_reach_its_server(export, running):
    import httpx2

    version = call("test", CreateRequest(export=export, variant="gguf-f16", settings={"parallel": "7"})).result["deployment"]
    point_to(version)
    assert len(httpx2.get(f"{wait_for(version, PATIENCE_SECONDS).address}/slots", timeout=PATIENCE_SECONDS).json()) == 7


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
        assert wait_for(version, PATIENCE_SECONDS)
    finally:
        made.stop()


def test_a_second_supervisor_of_the_home_stands_back(version, running):
    wait_for(version, PATIENCE_SECONDS)
    second = Supervisor()
    second.start()
    second.stop()
    assert supervisor_runs() and locate(version)


def test_an_endpoint_left_by_a_dead_server_is_not_believed(version):
    from brewslm.serving.endpoints import endpoint_file
    from brewslm.store.files import write_json

    write_json(endpoint_file(version), {"base_url": "http://127.0.0.1:9/v1", "model": "old", "pid": 1})
    assert locate(version) is None
