"""The cloud-burst target with SkyPilot itself, in its toolchain. Launch and teardown need an account, and are not run here."""

import pytest

from brewslm.errors import StageError
from brewslm.pipeline.execute import RunFailed, call
from brewslm.processes.toolchains import install, toolchain
from brewslm.serving import ModelServerFailed
from brewslm.serving.targets.cloud_burst import TOOLCHAIN, task_yaml, validated
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.store.database import reading
from brewslm.store.tables import Slot
from tests.experiments import adopt_bundle, make_experiment
from tests.serving.test_targets import servable

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def skypilot(tmp_path_factory):
    """Installed once a machine; some hundred small packages."""
    one = toolchain(TOOLCHAIN)
    install(one, tmp_path_factory.mktemp("install") / "log.txt", lambda _done, _what: None)
    return one


@pytest.fixture
def nobody(tmp_path, monkeypatch):
    """An account without any credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_skypilots_own_task_takes_ours_and_says_what_it_can_not_take(skypilot, nobody, tmp_path):
    """Without accelerators or a region, which it looks up in a catalogue on the network."""

    def asked(**settings):
        return validated(task_yaml(servable(tmp_path, "cloud-burst", "hf", accelerators="", **settings)), tmp_path / "log.txt")

    said = asked(infra="aws", port=9000)
    assert said["name"] == "my_bot-v2" and said["mounts"] == ["~/model"]
    assert said["resources"] == ["AWS(cpus=4+, mem=16+, disk_size=64, ports=['9000'])"]
    for settings, words in (
        ({"infra": "no-such-cloud"}, "'no-such-cloud' does not match"), ({"infra": "aws", "cpus": "many"}, '"cpus" field'),
        ({"infra": "aws", "memory": "-1"}, '"memory" field'),
    ):  # fmt: skip
        with pytest.raises(ModelServerFailed, match="SkyPilot refuses the task") as refused:
            asked(**settings)
        assert words in str(refused.value)


def test_without_credentials_nothing_is_promoted_nor_launched(skypilot, nobody, project, tiny_model, tiny_adapter, tiny_bundle):
    export = adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)
    version = call("ana", CreateRequest(export=export, target="cloud-burst")).result["deployment"]
    with pytest.raises(RunFailed) as failed:
        call("ana", PromoteRequest(deployment=version))
    error: StageError = failed.value.error
    assert error.reason.code == "deployment_promote_blocked" and "no credentials of any cloud" in error.cause
    assert "sky check" in error.next_step
    with reading() as session:
        assert session.query(Slot).all() == []
