"""Heavy children that begin with their libraries loaded: to load torch, transformers and what stands on them takes seconds.

Each is forked from a process that has loaded them and done nothing else. Then it does what `python -m brewslm.pipeline.child`
does: in a session of its own, under the environment of its run, with what stands in a sitecustomize.py on its path. That a child
can be started for real is proven in tests/processes, tests/pipeline and tests/api.
"""

import os
import runpy
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

import orjson
import pytest

from brewslm.processes import child
from brewslm.settings import settings

MOST_BYTES = 1 << 17
"""Of one message: where the work is, and the environment."""


class Child:
    """A forked child, with as much of a Popen as whoever follows one uses."""

    def __init__(self, pid: int, template: socket.socket) -> None:
        self.pid, self._template = pid, template
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._template.settimeout(timeout)
            try:
                said = self._template.recv(MOST_BYTES)
            except TimeoutError as error:
                raise subprocess.TimeoutExpired("a forked child", timeout or 0) from error
            self.returncode = int(said)
        return self.returncode


class Template:
    """The process that children are forked from, one after another."""

    def __init__(self) -> None:
        self._ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            command = [sys.executable, "-m", "tests.warm", str(its.fileno())]
            environment = {**child.LIBRARIES, **os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
            self._process = subprocess.Popen(command, pass_fds=[its.fileno()], env=environment, stdin=subprocess.DEVNULL)

    def start(self, folder: Path, read_end: int, attempt: int, log: IO[bytes], libraries: Mapping[str, str]) -> Child:
        """In the place of `child.start`."""
        asked = {
            "folder": str(folder), "attempt": attempt, "environment": {**libraries, **os.environ}, "at": str(Path.cwd()),
        }  # fmt: skip
        self._ours.settimeout(None)
        socket.send_fds(self._ours, [orjson.dumps(asked)], [read_end, log.fileno()])
        return Child(int(self._ours.recv(MOST_BYTES)), self._ours)

    def close(self) -> None:
        self._ours.close()
        self._process.wait()


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    made = Template()
    yield made
    made.close()


@pytest.fixture
def warm_children(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heavy work that this process starts is done by such children."""
    monkeypatch.setattr(child, "start", template.start)


def load() -> None:
    """What heavy work of any stage loads."""
    import gguf  # noqa: F401
    import llama_cpp  # noqa: F401
    import peft  # noqa: F401
    import scipy.optimize
    import scipy.stats  # noqa: F401
    import sklearn.feature_extraction.text
    import sklearn.linear_model
    import sklearn.pipeline  # noqa: F401
    import transformers
    import trl
    import trl.experimental.orpo

    import brewslm.pipeline.child  # noqa: F401

    assert all((transformers.Trainer, transformers.AutoModelForCausalLM, transformers.PreTrainedTokenizerFast, trl.DPOTrainer))


def be_a_child(asked_by: socket.socket, asked: dict[str, Any], read_end: int, log: int) -> NoReturn:
    from brewslm.pipeline import child as work

    code = 1
    try:
        os.setsid()
        asked_by.send(b"%d" % os.getpid())  # not sooner: whoever knows the number may signal the group
        asked_by.close()
        for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
            os.dup2(file, number)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["at"])
        settings.cache_clear()
        sys.argv = [work.__file__, asked["folder"], str(read_end), str(asked["attempt"])]
        sys.orig_argv = [sys.executable, "-m", work.__name__, *sys.argv[1:]]
        for folder in asked["environment"].get("PYTHONPATH", "").split(os.pathsep):
            if folder and (Path(folder) / "sitecustomize.py").exists():
                runpy.run_path(str(Path(folder) / "sitecustomize.py"))
        work.main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - what Python itself would do
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """The template: `python -m tests.warm <its end of the socket>`."""
    asked_by = socket.socket(fileno=int(sys.argv[1]))
    load()
    while True:
        message, descriptors, _, _ = socket.recv_fds(asked_by, MOST_BYTES, 2)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            be_a_child(asked_by, orjson.loads(message), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        asked_by.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
