"""Toolchains: what can't share our pins lives in a pinned environment of its own, and runs as a child process.

Their folders stand in the cache, which every home shares: an environment of gigabytes hangs on its definition alone. One counts
as installed when `complete.json` stands in it, which is written last and names the hash of the definition that made it.
"""

import hashlib
import os
import shutil
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from brewslm import presets
from brewslm.errors import StageError, did_you_mean
from brewslm.processes.child import POLL_SECONDS
from brewslm.processes.guard import Guarded
from brewslm.reasons.refusals import DiskFull, InvalidRequest, PackageUnavailable, ToolchainBroken, ToolchainMissing
from brewslm.settings import settings
from brewslm.store.files import read_json, write_json
from brewslm.store.locks import Held, lock

COMPLETE = "complete.json"
NO_SPACE = "No space left on device"
STEPS = 4
"""Of an install: the environment, what goes first, the lock, the check."""
Step = Callable[[int, str], None]
"""Told of each step that begins: its number, and what it does. It may raise to stop the install."""


class Definition(BaseModel):
    """A file of `presets/toolchains/`; the lock of the same name beside it pins every package by hash.

    Attributes:
        title: What it is for, in a few words.
        first: Requirements that are installed before the lock and by themselves, such as torch: which build a machine gets is for
            its package client to say, so they are pinned by version and not by hash.
        check: Python that must run without an error in the finished environment.
        environment: Variables that its programs get.
        disk_gb: Free space that an install wants, for packages and their downloads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    first: tuple[str, ...] = ()
    check: str
    environment: dict[str, str] = {}
    disk_gb: float = Field(gt=0)


class Toolchain(BaseModel):
    """One that can be installed.

    Attributes:
        lock: The requirements, as the package client reads them.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    definition: Definition
    lock: Path

    @property
    def sha256(self) -> str:
        """Of all that decides what the environment holds."""
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        parts = (self.definition.model_dump_json().encode(), self.lock.read_bytes(), python.encode())
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    @property
    def folder(self) -> Path:
        """Where its environment stands, or would: another definition has another folder, and leaves this one whole."""
        return settings().cache / "toolchains" / f"{self.name}-{self.sha256[:12]}"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


class Installed(BaseModel):
    """What `complete.json` says.

    Attributes:
        packages: Name → version, as they are there.
        size_bytes: Of all its files.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    definition_sha256: str
    installed_at: str
    packages: dict[str, str]
    size_bytes: int
    seconds: float


def toolchain(name: str) -> Toolchain:
    """The toolchain of this name.

    Raises:
        StageError(InvalidRequest): There is none.
    """
    known = presets.names("toolchains")
    if name not in known:
        raise StageError(InvalidRequest(), f"toolchain {name} is not known", cause=did_you_mean(name, known))
    lock_file = presets.FOLDER / "toolchains" / f"{name}.lock"
    return Toolchain(name=name, definition=presets.load("toolchains", name, Definition), lock=lock_file)


def toolchains() -> list[Toolchain]:
    """All that are known."""
    return [toolchain(name) for name in presets.names("toolchains")]


def installed(one: Toolchain) -> Installed | None:
    """What is installed of it; None where nothing is, or what is there is half made or of another definition."""
    complete = one.folder / COMPLETE
    if not (complete.exists() and one.python.exists()):
        return None
    found = Installed.model_validate(read_json(complete))
    return found if found.definition_sha256 == one.sha256 else None


def missing(names: tuple[str, ...]) -> list[str]:
    """Of these toolchains, those that are not installed."""
    return [name for name in names if installed(toolchain(name)) is None]


def install_command(names: list[str]) -> str:
    """What a person types to install them."""
    return " && ".join(f"brewslm toolchain install {name}" for name in names)


def required(name: str) -> Toolchain:
    """A toolchain that is installed.

    Raises:
        StageError(ToolchainMissing): It is not.
    """
    one = toolchain(name)
    if installed(one) is None:
        step = f"Run {install_command([name])}."
        raise StageError(ToolchainMissing(), f"toolchain {name} is not installed", cause=one.definition.title, next_step=step)
    return one


def environment(one: Toolchain, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of its programs: ours without what would put our packages before its own.

    Args:
        more: Variables of this one program.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    path = os.pathsep.join((str(one.python.parent), kept.get("PATH", os.defpath)))
    return {**kept, "PATH": path, "PYTHONNOUSERSITE": "1", **one.definition.environment, **(more or {})}


def run_program(
    command: list[str], variables: Mapping[str, str], log: Path, check: Callable[[], None] = lambda: None
) -> tuple[int, list[str]]:
    """Run a program to its end.

    Args:
        variables: Its environment.
        log: Gets what it prints, after what is there.
        check: Called ten times a second; when it raises, the program is ended.

    Returns:
        Its exit status, 128 and the signal's number where a signal ended it; and the lines that it printed.
    """
    program = Guarded(command, variables, log)
    try:
        while not program.wait(POLL_SECONDS):
            check()
    finally:
        program.stop()
    return program.process.returncode, program.said()


def install(one: Toolchain, log: Path, step: Step, check: Callable[[], None] = lambda: None) -> Installed:
    """Make its environment, or find it made. Two that want it at once: the second waits, and finds it.

    What an attempt left that was cut off is removed and made again; packages that were fetched are kept by the package client,
    so that nothing large is fetched twice.

    Args:
        log: Gets what the package client says.

    Raises:
        StageError(DiskFull): There is not the space, or no longer.
        StageError(PackageUnavailable): A package could not be fetched, or is not the file that its hash names.
        StageError(ToolchainBroken): Its check failed.
    """
    with _alone(one, check):
        found = installed(one)
        return found or _installed(one, log, step, check)


@contextmanager
def _alone(one: Toolchain, check: Callable[[], None]) -> Iterator[None]:
    while True:
        try:
            with lock(one.folder.with_suffix(".lock"), wait=False):
                yield
                return
        except Held:
            check()
            time.sleep(POLL_SECONDS)


def _installed(one: Toolchain, log: Path, step: Step, check: Callable[[], None]) -> Installed:
    began, folder = time.monotonic(), one.folder
    _check_disk(one)
    try:
        step(0, "environment")
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, symlinks=True)
        step(1, " ".join(one.definition.first) or "nothing before the lock")
        if one.definition.first:
            _pip(one, [*one.definition.first], log, check)
        step(2, f"packages of {one.lock.name}")
        _pip(one, ["--no-deps", "--require-hashes", "-r", str(one.lock)], log, check)
        step(3, "its check")
        status, said = run_program([str(one.python), "-c", one.definition.check], environment(one), log, check)
        if status:
            raise StageError(ToolchainBroken(), f"toolchain {one.name} does not work here", cause=_last(said))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    made = Installed(
        name=one.name, definition_sha256=one.sha256, installed_at=datetime.now(UTC).isoformat(timespec="seconds"),
        packages=_packages(folder), size_bytes=_size(folder), seconds=round(time.monotonic() - began, 1),
    )  # fmt: skip
    write_json(folder / COMPLETE, made.model_dump(mode="json"))
    return made


def _check_disk(one: Toolchain) -> None:
    one.folder.parent.mkdir(parents=True, exist_ok=True)
    free, wanted = shutil.disk_usage(one.folder.parent).free, one.definition.disk_gb * 1e9
    if free < wanted:
        raise _full(one, f"{free / 1e9:.1f} GB are free, {one.definition.disk_gb:g} GB are wanted")


def _full(one: Toolchain, cause: str) -> StageError:
    step = "Free some space, or name a folder on a larger disk in BREWSLM_CACHE, and install it again."
    return StageError(DiskFull(), f"toolchain {one.name} can't be installed", cause=cause, next_step=step)


def _pip(one: Toolchain, wanted: list[str], log: Path, check: Callable[[], None]) -> None:
    """Our own pip fills the environment, which has none."""
    client = [sys.executable, "-m", "pip", "--python", str(one.python), "--disable-pip-version-check"]
    command = [*client, "install", "--quiet", "--no-input", *wanted]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    status, said = run_program(command, variables, log, check)
    if status == 0:
        return
    if any(NO_SPACE in line for line in said):
        raise _full(one, NO_SPACE.lower())
    errors = [line for line in said if line.startswith("ERROR")]
    raise StageError(
        PackageUnavailable(), f"toolchain {one.name} could not be installed", cause=_last(errors or said),
        next_step=f"Check that the package index can be reached, then run {install_command([one.name])} again.",
    )  # fmt: skip


def _last(said: list[str]) -> str:
    return said[-1][:300] if said else "it said nothing"


def _packages(folder: Path) -> dict[str, str]:
    """Name → version of what stands in an environment."""
    places = [str(place) for place in folder.glob("lib/python*/site-packages")]
    return dict(sorted((one.name, one.version) for one in distributions(path=places)))


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())
