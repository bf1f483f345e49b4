"""The target `cloud-burst`: vLLM on a rented machine, as a SkyPilot task.

The task is generated, and by SkyPilot's own `Task`, in its toolchain, parsed and validated. Launch and teardown were not run by
us, for they need an account's credentials (docs/deploy.md says so too). Without credentials nothing is promoted.
"""

import json
import secrets
import shlex
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import BaseModel, ConfigDict, Field

from brewslm.processes.guard import Guarded
from brewslm.processes.toolchains import environment, install_command, missing, required, run_program
from brewslm.processes.vllm import MODULE, context_of, vllm_flags
from brewslm.serving.endpoints import Endpoint
from brewslm.serving.model_server import ModelServerFailed, temporary_log
from brewslm.serving.targets.base import Lacking, Servable, Server, Target
from brewslm.serving.targets.vllm import VllmTarget, requests_of
from brewslm.store.files import write_atomic
from brewslm.store.secrets import endpoint_key, keep_endpoint_key

TOOLCHAIN = "skypilot"
SECRET = "VLLM_API_KEY"
"""vLLM's own variable: the machine's port is open to all, and its server answers to this key alone."""
VLLM = "0.32.0"
MODEL = "~/model"
SAID = "brewslm:"
"""What a line of our programs begins with that is meant for us; SkyPilot prints others."""

MOST = 300
OFFLINE = "it can't reach its catalogue of machines, against which it checks accelerators and regions"
_READ = f"""
import json, os, sys
import sky, yaml
def task():
    key = os.environ.get("{SECRET}", "none")
    with open(sys.argv[1]) as file:
        return sky.Task.from_yaml_config(yaml.safe_load(file), secrets_overrides=[("{SECRET}", key)])
def say(value):
    print("{SAID}" + json.dumps(value), flush=True)
"""
_VALIDATE = f"""{_READ}
import requests
try:
    one = task()
    one.validate()
except requests.exceptions.ConnectionError:
    say({{"refused": "{OFFLINE}"}})
except Exception as error:
    say({{"refused": " ".join(str(error).split())[:{MOST}]}})
else:
    say({{"name": one.name, "resources": sorted(str(each) for each in one.resources), "mounts": sorted(one.file_mounts or [])}})
"""
_ENABLED = f"""{_READ}
from sky import check
from sky.clouds.cloud import CloudCapability
say(sorted(str(cloud) for cloud in check.get_cached_enabled_clouds_or_refresh(CloudCapability.COMPUTE)))
"""
_LAUNCH = f"""{_READ}
_, _, cluster, port = sys.argv
up = [one for one in sky.get(sky.status([cluster])) if one["status"] == sky.ClusterStatus.UP]
if not up:
    sky.stream_and_get(sky.launch(task(), cluster_name=cluster))
say(list(sky.get(sky.endpoints(cluster, int(port))).values())[0])
"""
_DOWN = f"""{_READ}
if sky.get(sky.status([sys.argv[1]])):
    sky.down(sys.argv[1])
"""


class CloudSettings(BaseModel):
    """The machine that is rented.

    Attributes:
        infra: Where, as SkyPilot says it: aws, gcp/us-central1, k8s/my-context; left out, the cheapest that your account may use.
        accelerators: Such as L4:1.
        cpus, memory: At least so many, and so many GB: "4+", "16+".
        disk_size: In GB.
        use_spot: A machine that may be taken back at any time, for less.
        port: That vLLM listens on there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    infra: str = ""
    accelerators: str = "L4:1"
    cpus: str = "4+"
    memory: str = "16+"
    disk_size: int = Field(default=64, ge=1)
    use_spot: bool = False
    port: int = Field(default=8000, ge=1024, le=65535)


def cluster_of(servable: Servable) -> str:
    """The name of its cluster: one for each version, so that the former goes on while the next is tried."""
    return f"brewslm-{servable.version_id}-{servable.model}".replace("_", "-")


def task_of(servable: Servable) -> dict[str, Any]:
    """The SkyPilot task that serves a version."""
    options = CloudSettings.model_validate(servable.settings)
    flags = [flag for flag in vllm_flags(servable.model, context_of(servable.path)) if flag != "--enforce-eager"]
    given = {name: value for name, value in options.model_dump(exclude={"port"}).items() if value != ""}
    listening = shlex.join(["--host", "0.0.0.0", "--port", str(options.port), *flags])
    return {
        "name": servable.model,
        "resources": given | {"ports": [options.port]},
        "file_mounts": {MODEL: str(servable.path)},
        "secrets": {SECRET: None},
        "setup": f"pip install 'vllm=={VLLM}'\n",
        "run": f"python -m {MODULE} --model {MODEL} {listening}\n",
    }


def task_yaml(servable: Servable) -> str:
    """The same as a file for `sky launch`; its key is given beside it."""
    return yaml.safe_dump(task_of(servable), sort_keys=False)


def validated(text: str, log: Path) -> dict[str, Any]:
    """What SkyPilot's own Task makes of it: name, resources, mounts.

    Raises:
        StageError(ToolchainMissing): SkyPilot is not installed.
        ModelServerFailed: It can't be a task; SkyPilot's words are the message.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.yaml"
        file.write_text(text)
        found: dict[str, Any] = _said(_VALIDATE, [str(file)], log)
    if "refused" in found:
        raise ModelServerFailed(f"SkyPilot refuses the task: {found['refused']}")
    return found


class _Rented:
    """A machine on its way, or there. What our program says last is where it answers."""

    def __init__(self, servable: Servable, program: Guarded, key: str) -> None:
        self._servable, self._program, self._key = servable, program, key
        self._endpoint: Endpoint | None = None

    @property
    def returncode(self) -> int | None:
        """Of the launch, when it failed: the machine lives on without us."""
        return self._program.process.poll() or None

    def endpoint(self) -> Endpoint | None:
        """Where it answers; None until it does.

        Raises:
            ModelServerFailed: It could not be launched.
        """
        status = self._program.process.poll()
        if status is None:
            return None
        said = self._program.said()
        if status:
            raise ModelServerFailed(f"SkyPilot could not launch it; last it said: {(said or ['nothing'])[-1][-300:]}")
        self._endpoint = self._endpoint or Endpoint(
            base_url=f"http://{_last(said)}/v1", model=self._servable.model, key=self._key, project_id=self._servable.project_id
        )
        return self._endpoint if _answers(self._endpoint) else None

    def stop(self) -> None:
        """End our program; `release` gives the machine back."""
        self._program.stop()


class CloudBurstTarget(Target):
    """vLLM on a machine that SkyPilot rents."""

    name: ClassVar[str] = "cloud-burst"
    meaning: ClassVar[str] = "vLLM on a rented machine, by SkyPilot. Launch needs credentials, and was not run by us."
    Settings: ClassVar[type[BaseModel]] = CloudSettings
    ready_seconds: ClassVar[float] = 1800.0
    rents: ClassVar[bool] = True

    def refusal(self, servable: Servable) -> str:
        """What vLLM serves."""
        return VllmTarget().refusal(servable)

    def preferred(self, variants: Iterable[str]) -> str | None:
        """As for vLLM."""
        return VllmTarget().preferred(variants)

    def lacking(self, servable: Servable) -> Lacking | None:
        """SkyPilot, a task that it takes, or an account that it may use."""
        names = missing((TOOLCHAIN,))
        if names:
            return Lacking(f"toolchain {TOOLCHAIN} is not installed", f"Run {install_command(names)}.")
        if not _said(_ENABLED, [], temporary_log()):
            check = required(TOOLCHAIN).python.parent / "sky"
            return Lacking("SkyPilot finds no credentials of any cloud", f"Set some up: {check} check says how.")
        try:
            validated(task_yaml(servable), temporary_log())
        except ModelServerFailed as error:
            return Lacking(str(error), "Make another version, with settings that SkyPilot knows.")
        return None

    def plan(self, servable: Servable) -> str:
        """The task."""
        return task_yaml(servable)

    def start(self, servable: Servable, log: Path) -> Server:
        """Rent the machine, or find it rented, and have it serve."""
        options = CloudSettings.model_validate(servable.settings)
        file = log.with_suffix(".sky.yaml")
        write_atomic(file, task_yaml(servable).encode())
        key = f"cloud-{servable.version_id}"
        if endpoint_key(servable.project_id, key) is None:
            keep_endpoint_key(servable.project_id, key, secrets.token_urlsafe(32))
        one = required(TOOLCHAIN)
        variables = environment(one, {SECRET: endpoint_key(servable.project_id, key) or ""})
        command = [str(one.python), "-c", _LAUNCH, str(file), cluster_of(servable), str(options.port)]
        return _Rented(servable, Guarded(command, variables, log), key)

    def busy(self, endpoint: Endpoint) -> int | None:
        """As vLLM's own metrics say."""
        return requests_of(endpoint)

    def release(self, servable: Servable) -> None:
        """Give the machine back: SkyPilot's own server sees to it, whatever becomes of us."""
        if not missing((TOOLCHAIN,)):
            one = required(TOOLCHAIN)
            run_program([str(one.python), "-c", _DOWN, cluster_of(servable)], environment(one), temporary_log())


def _said(program: str, arguments: list[str], log: Path) -> Any:
    """What one of our programs says, run in SkyPilot's environment."""
    one = required(TOOLCHAIN)
    status, said = run_program([str(one.python), "-c", program, *arguments], environment(one), log)
    if status:
        raise ModelServerFailed(f"SkyPilot ended with status {status}; last it said: {(said or ['nothing'])[-1][-MOST:]}")
    return _last(said)


def _last(said: list[str]) -> Any:
    """The last line that is meant for us."""
    found = [line.removeprefix(SAID) for line in said if line.startswith(SAID)]
    if not found:
        raise ModelServerFailed("SkyPilot ended without a word for us")
    return json.loads(found[-1])


def _answers(endpoint: Endpoint) -> bool:
    import httpx2

    try:
        return httpx2.get(f"{endpoint.address}/health", timeout=2.0).status_code == 200
    except httpx2.TransportError:
        return False
