"""The bundle itself: gathered from tables, completed with logs, written as one zip, whole or not at all."""

import hashlib
import platform
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

import brewslm
from brewslm.errors import StageError
from brewslm.filters.redaction import Redactor
from brewslm.pipeline.support.contents import Contents, LeftOut, Part, dumped
from brewslm.pipeline.support.gather import gather, locators, runs_with_folder
from brewslm.pipeline.support.logs import tail, without_messages, without_said
from brewslm.pipeline.support.page import page
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.refusals import UnknownRun
from brewslm.reasons.support import SupportBundleMade
from brewslm.settings import settings
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store.files import new_file, project_folder, run_folder
from brewslm.store.records import Records, project_of, run_of
from brewslm.store.secrets import known_secrets, secrets_of_url
from brewslm.store.tables import DeploymentVersion, Run

SCHEMA = "brewslm/support-bundle/1"
MEGABYTES = 32
PARTS = "parts"
"""The folder of the run's own in which the parts stand ready; it goes when the zip is there."""
PAGE, MANIFEST = "index.html", "manifest.json"
_FOR_THE_PAGE = 4 * 1024**2
NEVER = (
    "rows: kept sources, synthetic, train, eval, gold and rejected rows, cleaned texts, predictions, answers, request logs",
    "results of runs, but for their counts",
    "weights", "secrets/", "databases",
)  # fmt: skip


class SupportBundleRequest(ProjectRequest):
    """Write a support bundle of a project, or of one run of it.

    Attributes:
        run: Only this run and those under it; manifests, versions and environment are in it all the same.
        megabytes: The most that it may hold, unpacked. Failing and newest runs come first.
    """

    run: str | None = None
    megabytes: int = Field(default=MEGABYTES, ge=8, le=1024)


class LogFile(BaseModel):
    """A log that shall go in; `name` is what it is called there."""

    model_config = ConfigDict(frozen=True)

    name: str
    path: Path


class SupportJob(Job):
    """What is gathered already, and the logs that are still to be read.

    Attributes:
        locators: Of the project's sources: what URLs among them keep secret is looked for in the logs.
        room: Bytes left for the logs.
    """

    project: int
    of_run: str | None
    made_at: str
    megabytes: int
    parts: list[Part]
    left_out: list[LeftOut]
    redactions: dict[str, int]
    logs: list[LogFile]
    locators: list[str]
    room: int
    output: Path


class SupportResult(Result):
    """What was written; `path` is relative to the project's folder."""

    path: str
    sha256: str
    size_bytes: int
    files: int
    left_out: list[LeftOut]
    redactions: dict[str, int]


def bundle_path(project: int, run_id: str) -> Path:
    """Where the bundle of a run of support.bundle stands."""
    return project_folder(project) / "support" / f"{run_id}.zip"


def resolve(request: SupportBundleRequest, records: Records) -> SupportJob:
    """Read the tables, in one transaction, and write what they say down, redacted.

    Raises:
        StageError(UnknownRun): The project has no such run.
    """
    session, project = records.session, project_of(records.session, request.project)
    if request.run is not None and run_of(session, request.run).project_id != request.project:
        raise StageError(UnknownRun(), where=request.run, cause=f"it is none of project {request.project}")
    folder = records.run_folder / PARTS
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was cut off
    named = list(dict.fromkeys(locators(session, request.project)))
    redactor, contents = _redactor(named), Contents(folder, request.megabytes * 2**20 - _FOR_THE_PAGE)
    urgent = gather(session, project, request.run, redactor, contents)
    logs = [*_logs_of_runs(run.id for run in urgent), *_logs_of_servers(session, request.project)]
    return SupportJob(
        project=request.project, of_run=request.run, made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        megabytes=request.megabytes, parts=contents.parts, left_out=contents.left_out, redactions=dict(redactor.counts),
        logs=logs, locators=named, room=contents.room, output=bundle_path(request.project, records.run_id),
    )  # fmt: skip


def planned_logs(session: Session, project: int, of_run: str | None) -> list[LogFile]:
    """The logs that a bundle would read; how much of each there is room for, the making decides."""
    return [*_logs_of_runs(runs_with_folder(session, project, of_run)), *_logs_of_servers(session, project)]


def _redactor(named: Sequence[str]) -> Redactor:
    known = known_secrets().union(*(secrets_of_url(one) for one in named))
    return Redactor(
        known, {settings().home: "$BREWSLM_HOME", settings().cache: "$BREWSLM_CACHE", Path.home(): "~"}, platform.node()
    )


def _logs_of_runs(urgent: Iterable[str]) -> Iterator[LogFile]:
    for run in urgent:
        folder = run_folder(run)
        for path in sorted({*folder.glob("*.log"), *folder.glob("log.txt"), *folder.glob("faults.jsonl")}):
            yield LogFile(name=f"logs/{run}/{path.name}", path=path)


def _logs_of_servers(session: Session, project: int) -> Iterator[LogFile]:
    for version in session.query(DeploymentVersion).filter_by(project_id=project).order_by(DeploymentVersion.id.desc()):
        path = settings().home / "serving" / "logs" / f"{version.id}.log"
        if path.is_file():
            yield LogFile(name=f"logs/serving/deployment-{version.id}.log", path=path)


def run(job: SupportJob, context: Context) -> SupportResult:
    """Read the logs, draw the page, and write the zip."""
    redactor, contents = _redactor(job.locators), Contents(context.folder / PARTS, job.room)
    contents.parts += job.parts
    contents.left_out += job.left_out
    for log in context.track(job.logs, len(job.logs), "logs"):
        _add_log(log, redactor, contents)
    counts = {name: count for name, count in sorted((redactor.counts + Counter(job.redactions)).items()) if count}
    files = {part.name: part.path.read_bytes() for part in contents.parts}
    said = {
        "schema_version": SCHEMA, "made_at": job.made_at, "brewslm": brewslm.__version__, "project": job.project,
        "run": job.of_run, "most_bytes_unpacked": job.megabytes * 2**20, "redactions": counts, "never_in_it": NEVER,
        "left_out": [one.model_dump() for one in contents.left_out],
    }  # fmt: skip
    files = {PAGE: redactor.text(page(said, files)).encode()} | files
    listed = [{"path": name, "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)} for name, data in files.items()]
    _write(job.output, files | {MANIFEST: dumped(said | {"files": listed}, orjson.OPT_INDENT_2) + b"\n"})
    shutil.rmtree(context.folder / PARTS, ignore_errors=True)
    data = job.output.read_bytes()
    return SupportResult(
        path=f"support/{job.output.name}", sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), files=len(files) + 1,
        left_out=contents.left_out, redactions=counts,
    )  # fmt: skip


def _add_log(log: LogFile, redactor: Redactor, contents: Contents) -> None:
    try:
        text, before = tail(log.path)
    except OSError:
        contents.left_out.append(LeftOut(what=log.name, why="it can't be read"))
        return
    if before:
        contents.left_out.append(LeftOut(what=log.name, why="only its end is here", size_bytes=before))
    text = without_said(text) if log.path.suffix == ".jsonl" else without_messages(text)
    contents.add(log.name, redactor.text(text).encode())


def _write(path: Path, files: dict[str, bytes]) -> None:
    with new_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)


def record(result: SupportResult, session: Session, run: Run) -> Sequence[Reason]:
    """Tell of it."""
    made = SupportBundleMade(
        sha256=result.sha256, size_bytes=result.size_bytes, files=result.files, left_out=len(result.left_out),
        redactions=result.redactions, of_run=run.request.get("run"),
    )  # fmt: skip
    return (made,)
