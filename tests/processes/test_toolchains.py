"""Toolchains, made for real of wheels that are built on the spot: nothing is fetched."""

import hashlib
import os
import signal
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from brewslm import presets
from brewslm.errors import StageError
from brewslm.processes import toolchains
from brewslm.processes.context import Cancelled
from brewslm.processes.guard import Guarded
from brewslm.processes.toolchains import Toolchain, environment, install, installed, required, run_program, toolchain
from tests.running import PATIENCE_SECONDS, gone

NAME = "tiny"


def write_wheel(folder: Path, version: str = "1.0", body: str = "ANSWER = 42\n") -> Path:
    """The smallest wheel that a package client takes."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel, info = folder / f"tinytool-{version}-py3-none-any.whl", f"tinytool-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tinytool.py", body)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tinytool\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", f"tinytool.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return wheel


def define(folder: Path, lock: str, check: str = "import tinytool", disk_gb: float = 0.01, name: str = NAME) -> None:
    (folder / "toolchains").mkdir(parents=True, exist_ok=True)
    (folder / "toolchains" / f"{name}.lock").write_text(lock)
    (folder / "toolchains" / f"{name}.yaml").write_text(
        f"title: answers\ncheck: {check!r}\ndisk_gb: {disk_gb}\nenvironment: {{TINY: 'yes'}}\n"
    )


def locked(wheel: Path) -> str:
    return f"{wheel.as_uri()} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def definitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of definitions with one that is made of a wheel, in the place of the product's; and a cache of its own."""
    from brewslm.settings import settings

    folder = tmp_path / "presets"
    define(folder, locked(write_wheel(tmp_path / "wheels")))
    for other in presets.FOLDER.iterdir():
        if other.name != "toolchains":
            (folder / other.name).symlink_to(other)
    monkeypatch.setattr(presets, "FOLDER", folder)
    monkeypatch.setenv("BREWSLM_CACHE", str(tmp_path / "cache"))
    settings.cache_clear()
    yield folder
    settings.cache_clear()


def made(one: Toolchain, tmp_path: Path):
    steps = []
    return install(one, tmp_path / "log.txt", lambda at, what: steps.append((at, what))), steps


def test_an_install_is_what_its_definition_says_and_its_programs_get_its_variables(definitions, tmp_path):
    one = toolchain(NAME)
    assert installed(one) is None
    found, steps = made(one, tmp_path)
    assert found.packages == {"tinytool": "1.0"} and found.definition_sha256 == one.sha256 and found.size_bytes > 0
    assert [at for at, _ in steps] == [0, 1, 2, 3] and installed(one) == found and required(NAME) == one
    asked = "import os, sys, tinytool; print(tinytool.ANSWER, os.environ['TINY'], sys.prefix)"
    status, said = run_program([str(one.python), "-c", asked], environment(one), tmp_path / "said.txt")
    assert (status, said) == (0, [f"42 yes {one.folder}"])


def test_an_installed_one_is_not_made_again(definitions, tmp_path):
    first, _ = made(toolchain(NAME), tmp_path)
    again, steps = made(toolchain(NAME), tmp_path)
    assert again == first and steps == []


def test_another_definition_is_another_environment_and_leaves_the_former_whole(definitions, tmp_path):
    former = toolchain(NAME)
    made(former, tmp_path)
    define(definitions, locked(write_wheel(tmp_path / "wheels", "2.0")))
    assert installed(toolchain(NAME)) is None
    found, _ = made(toolchain(NAME), tmp_path)
    assert found.packages == {"tinytool": "2.0"} and former.python.exists()


def test_what_a_killed_install_left_does_not_count_and_is_made_again(definitions, tmp_path):
    """Killed for good, at the moment when all but the last word is there."""
    one = toolchain(NAME)
    program = (
        "import os, signal; from pathlib import Path; from brewslm import presets; from brewslm.processes import toolchains\n"
        f"presets.FOLDER = Path({str(definitions)!r})\n"
        "die = lambda at, what: at == 3 and os.kill(os.getpid(), signal.SIGKILL)\n"
        f"toolchains.install(toolchains.toolchain({NAME!r}), Path({str(tmp_path / 'log.txt')!r}), die)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGKILL and one.python.exists() and installed(one) is None
    with pytest.raises(StageError, match="toolchain_missing"):
        required(NAME)
    found, _ = made(one, tmp_path)
    assert found.packages == {"tinytool": "1.0"}


def refused(tmp_path: Path) -> StageError:
    one = toolchain(NAME)
    with pytest.raises(StageError) as error:
        made(one, tmp_path)
    assert installed(one) is None and not one.folder.exists()
    return error.value


def test_a_package_that_is_not_its_hash_is_refused_and_leaves_nothing(definitions, tmp_path):
    wheel = tmp_path / "wheels" / "tinytool-1.0-py3-none-any.whl"
    define(definitions, f"{wheel.as_uri()} --hash=sha256:{'0' * 64}\n")
    error = refused(tmp_path)
    assert error.reason.code == "package_unavailable" and "brewslm toolchain install tiny" in error.next_step


def test_an_index_that_cant_be_reached_is_named(definitions, tmp_path, monkeypatch):
    define(definitions, f"nowhere-to-be-had==1.0 --hash=sha256:{'0' * 64}\n")
    for name, value in {"INDEX_URL": "http://127.0.0.1:9/simple", "RETRIES": "0", "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    error = refused(tmp_path)
    assert error.reason.code == "package_unavailable" and "nowhere-to-be-had" in error.cause


def test_too_little_disk_is_refused_before_anything_is_fetched(definitions, tmp_path):
    define(definitions, "", disk_gb=10**9)
    error = refused(tmp_path)
    assert error.reason.code == "disk_full" and "are wanted" in error.cause and "BREWSLM_CACHE" in error.next_step


def test_a_check_that_fails_is_told_with_its_last_words(definitions, tmp_path):
    define(definitions, (definitions / "toolchains" / f"{NAME}.lock").read_text(), check="import tinytool, no_such_module")
    error = refused(tmp_path)
    assert error.reason.code == "toolchain_broken" and "no_such_module" in error.cause


def test_a_cancelled_install_ends_its_programs_and_leaves_nothing(definitions, tmp_path):
    define(definitions, (definitions / "toolchains" / f"{NAME}.lock").read_text(), check="import time; time.sleep(600)")
    one, reached = toolchain(NAME), []

    def check():
        if reached:
            raise Cancelled

    with pytest.raises(Cancelled):
        install(one, tmp_path / "log.txt", lambda at, what: reached.append(at) if at == 3 else None, check)
    assert not one.folder.exists()
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(one.folder) in " ".join(p.info["cmdline"] or [])]


def test_an_unknown_toolchain_is_refused_with_the_nearest(definitions):
    with pytest.raises(StageError, match="invalid_request") as error:
        toolchain("tini")
    assert "did you mean tiny?" in error.value.cause


def test_a_mistyped_key_of_a_definition_is_told(definitions):
    (definitions / "toolchains" / f"{NAME}.yaml").write_text("title: a\nchek: pass\ndisk_gb: 1\n")
    with pytest.raises(StageError) as error:
        toolchain(NAME)
    assert "did you mean check?" in error.value.cause


def test_a_guarded_program_and_its_children_die_with_whoever_started_it(tmp_path):
    """Its parent is killed for good: only the lifeline can tell."""
    program = "import subprocess, sys, time; subprocess.Popen(['sleep', '600']); print('up', flush=True); time.sleep(600)"
    starter = (
        "import os, sys, time; from pathlib import Path; from brewslm.processes.guard import Guarded\n"
        f"one = Guarded([sys.executable, '-c', {program!r}], os.environ, Path({str(tmp_path / 'log.txt')!r}))\n"
        "while 'up' not in one.said(): time.sleep(0.01)\n"
        "print(one.process.pid, flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE)
    group = int(parent.stdout.readline())
    members = [one for one in psutil.process_iter() if _group(one.pid) == group]
    assert len(members) == 3
    parent.kill()
    parent.wait()
    gone(members)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def test_a_program_that_leaves_others_behind_takes_them_along_and_its_status_is_told(tmp_path):
    left = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); sys.exit(7)"
    one = Guarded([sys.executable, "-c", left], os.environ, tmp_path / "log.txt")
    assert one.wait(PATIENCE_SECONDS) and one.process.returncode == 7
    (pid,) = one.said()
    with suppress(psutil.NoSuchProcess):
        gone([psutil.Process(int(pid))])
    one.stop()


def test_the_products_own_definitions_can_be_read_and_every_package_has_its_hash():
    for one in toolchains.toolchains():
        lines = one.lock.read_text().splitlines()
        pinned = [place for place, line in enumerate(lines) if "==" in line]
        assert pinned and all(lines[place + 1].strip().startswith("--hash=sha256:") for place in pinned)
        assert not [line for line in lines if line.startswith(("torch==", "torchvision", "torchaudio", "torchcodec"))]
        assert one.definition.first == (() if one.name == "skypilot" else ("torch==2.13.0",))
