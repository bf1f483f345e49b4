"""The target `vllm` with vLLM itself, out of its toolchain: promoted, asked, and started again when it dies."""

import psutil
import pytest
from sqlalchemy import select

from brewslm.observe.predict import ask_deployment
from brewslm.pipeline.execute import call
from brewslm.processes.toolchains import install, toolchain
from brewslm.serving import locate, wait_for
from brewslm.serving.supervisor import Supervisor
from brewslm.serving.targets import target_of
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.store.database import reading
from brewslm.store.tables import RunEvent
from tests.experiments import adopt_bundle, export_here, make_experiment, rows, train_adapter
from tests.running import gone, until
from tests.tiny import make_tiny_model

READY_SECONDS = 900.0
"""vLLM was ready in 18 s on quiet cores."""

pytestmark = pytest.mark.slow


@pytest.fixture
def export(project, tmp_path):
    """Of a model whose attention heads vLLM knows: 32 wide."""
    install(toolchain("vllm"), tmp_path / "install.txt", lambda _done, _what: None)
    base = make_tiny_model(tmp_path / "base", hidden=128)
    adapter = train_adapter(base, tmp_path / "adapter")
    bundle = export_here(base, adapter, tmp_path / "made", ("hf",))
    return adopt_bundle(make_experiment(project, base, adapter), bundle)


def test_vllm_is_launched_promoted_and_started_again_like_the_local_one(export, monkeypatch):
    monkeypatch.setattr(type(target_of("vllm")), "ready_seconds", READY_SECONDS)
    version = call("ana", CreateRequest(export=export, target="vllm")).result["deployment"]
    supervisor = Supervisor()
    supervisor.start()
    try:
        done = call("ana", PromoteRequest(deployment=version)).result
        assert done["same"] >= 0.9 * done["asked"] and done["by"] == "tokens", done
        first = wait_for(version, READY_SECONDS)
        asked = [row["payload"] for row in rows(4)]
        assert [one.output for one in ask_deployment("default", [one["text"] for one in asked])] == [
            one["label"] for one in asked
        ]
        assert target_of("vllm").busy(first) == 0
        group = [psutil.Process(first.pid), *psutil.Process(first.pid).children(recursive=True)]
        psutil.Process(first.pid).kill()
        until(lambda: (found := locate(version)) and found.pid != first.pid, "a new server", READY_SECONDS)
        gone(group)
    finally:
        supervisor.stop()
    with reading() as session:
        told = list(session.scalars(select(RunEvent.reason_code)))
    assert told.count("model_server_restarted") == 1
