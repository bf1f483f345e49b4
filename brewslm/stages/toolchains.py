"""toolchain.install: a pinned environment for programs that can't share ours, made on this machine."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from brewslm.processes import toolchains
from brewslm.processes.context import Context
from brewslm.processes.toolchains import STEPS, Toolchain
from brewslm.reasons import Reason
from brewslm.reasons.system import ToolchainInstalled
from brewslm.stages.contract import Job, Request, Result
from brewslm.store.records import Records
from brewslm.store.tables import Run


class InstallRequest(Request):
    """Install the toolchain of this name; one that is there is left as it is."""

    toolchain: str


class InstallJob(Job):
    """The definition as it is now."""

    toolchain: Toolchain
    log: Path


class InstallResult(Result):
    """What is there.

    Attributes:
        newly: It was made now; otherwise it was there.
        packages: Name → version.
    """

    name: str
    newly: bool
    definition_sha256: str
    packages: dict[str, str]
    size_bytes: int
    seconds: float
    path: str


def resolve(request: InstallRequest, records: Records) -> InstallJob:
    """Look up its definition.

    Raises:
        StageError(InvalidRequest): No toolchain has this name.
    """
    return InstallJob(toolchain=toolchains.toolchain(request.toolchain), log=records.run_folder / "log.txt")


def run(job: InstallJob, context: Context) -> InstallResult:
    """Make it, unless it is there.

    Raises:
        StageError(DiskFull, PackageUnavailable, ToolchainBroken): It could not be made; nothing of it is left.
        Cancelled: A person asked to stop.
    """
    one = job.toolchain
    there = toolchains.installed(one)
    found = there or toolchains.install(one, job.log, lambda done, what: context.progress(done, STEPS, what), context.check)
    return InstallResult(**found.model_dump(exclude={"installed_at"}), newly=there is None, path=str(one.folder))


def record(result: InstallResult, session: Session, run: Run) -> Sequence[Reason]:
    """Nothing to write: `complete.json` is the record. A new one is told."""
    if not result.newly:
        return ()
    return [
        ToolchainInstalled(
            toolchain=result.name, definition_sha256=result.definition_sha256, packages=len(result.packages),
            size_bytes=result.size_bytes,
        )
    ]  # fmt: skip
