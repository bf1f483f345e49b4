"""What each target serves, and what it says where it can't."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from brewslm.errors import StageError
from brewslm.serving import ModelServerFailed
from brewslm.serving.targets import TARGETS, Servable, target_of
from brewslm.serving.targets.cloud_burst import SECRET, cluster_of, task_of, task_yaml
from brewslm.serving.targets.local import check_port
from brewslm.serving.targets.vllm import requests_in
from brewslm.stages.deploy.changes import checked_settings
from brewslm.store.files import write_json
from tests.plugins import distribution

ROOT = Path(__file__).parents[2]
VARIANTS = ("hf", "gguf-f16", "gguf-q8_0", "awq", "gptq", "vllm")


def servable(tmp_path, target, variant, architecture="LlamaForCausalLM", **settings):
    path = f"{variant}/model.gguf" if variant.startswith("gguf") else variant
    folder = tmp_path / variant
    folder.mkdir(exist_ok=True)
    write_json(folder / "config.json", {"architectures": [architecture], "max_position_embeddings": 512})
    return Servable(
        version_id=7, project_id=1, target=target, model="my_bot-v2", variant=variant, bundle=tmp_path, artifact={"path": path},
        settings=settings,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("target", "chatting", "others", "preferred"),
    [
        ("local", {"hf", "gguf-f16", "gguf-q8_0"}, {"hf"}, "gguf-q8_0"),
        ("vllm", {"hf", "awq", "gptq", "vllm"}, set(), "vllm"),
        ("endpoint", set(VARIANTS), set(), "hf"),
        ("cloud-burst", {"hf", "awq", "gptq", "vllm"}, set(), "vllm"),
    ],
)
def test_what_a_target_serves(tmp_path, target, chatting, others, preferred):
    made = target_of(target)
    assert {one for one in VARIANTS if not made.refusal(servable(tmp_path, target, one))} == chatting
    encoders = {"hf"} if not made.refusal(servable(tmp_path, target, "hf", "BertForSequenceClassification")) else set()
    assert encoders == others
    assert made.preferred(VARIANTS) == preferred
    assert target_of("local").preferred(["hf"]) == "hf" and target_of("vllm").preferred(["gguf-f16"]) is None


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for target in ("local", "vllm"):
            asked = servable(tmp_path, target, "hf", port=port)
            with pytest.raises(ModelServerFailed, match=f"port {port} of 127.0.0.1 can't be had: Address already in use"):
                target_of(target).start(asked, tmp_path / "log")
    check_port(port)


@pytest.mark.parametrize(
    ("target", "given", "cause"),
    [
        ("vllm", {"url": "http://h/v1"}, "url and model are said together"),
        ("vllm", {"key": "mine"}, "key is for one that runs already"),
        ("vllm", {"max_model_len": "-1"}, "greater than or equal to 0"),
        ("cloud-burst", {"port": "80"}, "greater than or equal to 1024"),
        ("cloud-burst", {"region": "x"}, "known: "),
        ("local", {"precision": "int8"}, "'fp32' or 'bf16'"),
    ],
)
def test_settings_that_a_target_can_not_have_are_named(target, given, cause):
    with pytest.raises(StageError) as refused:
        checked_settings(target_of(target), given)
    assert refused.value.reason.code == "invalid_request" and cause in str(refused.value)


def test_without_its_toolchain_a_target_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setenv("BREWSLM_CACHE", str(tmp_path / "cache"))
    from brewslm.settings import settings

    settings.cache_clear()
    lacking = target_of("vllm").lacking(servable(tmp_path, "vllm", "hf"))
    assert lacking == ("toolchain vllm is not installed", "Run brewslm toolchain install vllm.")
    with pytest.raises(ModelServerFailed, match="brewslm toolchain install vllm"):
        target_of("vllm").start(servable(tmp_path, "vllm", "hf"), tmp_path / "log")
    assert target_of("vllm").lacking(servable(tmp_path, "vllm", "hf", url="http://h/v1", model="m")) is None
    assert (
        "brewslm deploy key k"
        in target_of("endpoint").lacking(servable(tmp_path, "endpoint", "hf", url="http://h/v1", model="m", key="k")).next_step
    )


def test_vllm_elsewhere_is_an_endpoint(tmp_path):
    server = target_of("vllm").start(servable(tmp_path, "vllm", "hf", url="http://h:8/v1", model="m"), tmp_path / "log")
    found = server.endpoint()
    assert (found.base_url, found.model, found.pid, server.returncode) == ("http://h:8/v1", "m", 0, None)
    assert target_of("vllm").busy(found) == 0


METRICS = """# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5
"""


def test_vllm_tells_how_many_requests_it_has():
    assert requests_in(METRICS) == 5 and requests_in("") == 0


def test_the_cloud_task_names_machine_model_and_port_and_holds_no_key(tmp_path):
    asked = servable(tmp_path, "cloud-burst", "hf", infra="gcp/us-central1", accelerators="A100:1", port=9000)
    task = yaml.safe_load(task_yaml(asked))
    assert task == task_of(asked)
    assert task["resources"] == {
        "infra": "gcp/us-central1", "accelerators": "A100:1", "cpus": "4+", "memory": "16+", "disk_size": 64, "use_spot": False,
        "ports": [9000],
    }  # fmt: skip
    assert task["file_mounts"] == {"~/model": str(tmp_path / "hf")} and task["secrets"] == {SECRET: None}
    assert (
        "--served-model-name my_bot-v2" in task["run"] and "--port 9000" in task["run"] and "--max-model-len 512" in task["run"]
    )
    assert cluster_of(asked) == "brewslm-7-my-bot-v2"


PLUGIN = """
from pathlib import Path
from brewslm.serving.endpoints import Endpoint
from brewslm.serving.targets import Servable, Target

class Fixed:
    returncode = None
    def endpoint(self):
        return Endpoint(base_url="http://h/v1", model="m")
    def stop(self): ...

class FixedTarget(Target):
    name, meaning = "fixed", "Always the same."
    def refusal(self, servable: Servable) -> str:
        return ""
    def start(self, servable: Servable, log: Path) -> Fixed:
        return Fixed()

class Local(FixedTarget):
    name = "local"

class Half(Target):
    name, meaning = "half", "It lacks its start."
    def refusal(self, servable): ...
"""


def test_a_plugin_adds_a_target_and_a_broken_one_is_named(tmp_path):
    points = {"fixed": "fixed_target:FixedTarget", "thief": "fixed_target:Local", "half": "fixed_target:Half"}
    distribution(tmp_path / "site", "fixed-target", {"fixed_target": PLUGIN}, {"brewslm.targets": points})
    code = """
from brewslm.errors import StageError
from brewslm.observe.deployments import targets
from brewslm.serving.targets import target_of
print(target_of("fixed").start(None, None).endpoint().base_url, type(target_of("local")).__name__)
print([one.name for one in targets() if not one.problem], sorted(one.problem for one in targets() if one.problem))
try:
    target_of("half")
except StageError as error:
    print(error.cause)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path / "site"), str(ROOT)))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert said[0] == "http://h/v1 LocalTarget"
    assert said[1].startswith("['local', 'vllm', 'endpoint', 'cloud-burst', 'fixed']")
    assert "the name local is taken" in said[1] and "it lacks start" in said[1] and "it lacks start" in said[2]
    assert list(TARGETS) == ["local", "vllm", "endpoint", "cloud-burst"]
