"""What promote and rollback share: make a version ready, ask it, and move the slot in one commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.processes.context import Context
from brewslm.reasons.deployment import DeploymentPromoteBlocked, DeploymentSmokeFailed
from brewslm.reasons.refusals import DeploymentStateConflict
from brewslm.serving.asking import Unanswered
from brewslm.serving.endpoints import Endpoint, failure_of, supervisor_runs, wait_for, wanting
from brewslm.serving.model_server import ModelServerFailed
from brewslm.serving.targets import Servable, target_of
from brewslm.serving.temporary import serve_for_now
from brewslm.stages.contract import Job, Result
from brewslm.stages.deploy.changes import export_of
from brewslm.stages.deploy.smoke import Smoke, SmokeMissed, ask_live
from brewslm.store.database import reading
from brewslm.store.files import sha256
from brewslm.store.records import Records, experiment_of, run_of
from brewslm.store.tables import DataManifest, DeploymentVersion, Run, Slot, now


class SwitchJob(Job):
    """A version that shall answer, frozen.

    Attributes:
        before: The version that the slot points to now; the slot is moved only if it still does.
        servable: What is served, and by what.
        sha256: Of its weights, as the export has it.
        manifest: The data manifest that the model learnt from, and its hash.
    """

    version_id: int
    slot: str
    before: int | None
    servable: Servable
    sha256: str
    smoke_trace: Path
    manifest: Path
    manifest_sha256: str


class SwitchResult(Result):
    """What the live smoke check found.

    Attributes:
        asked: Tokens that the live server was asked for; or answers, where it gives no tokens.
        same: How many of them are those that the exported file said there.
        by: "tokens", "texts" or "rows": what was compared.
    """

    version_id: int
    before_version_id: int | None
    asked: int
    same: int
    by: str = "tokens"


def job_for(version: DeploymentVersion, records: Records) -> SwitchJob:
    """Freeze the file and the slot as they are now.

    Raises:
        StageError(UnknownTarget): The version's target was a plugin's, and is not there any more.
    """
    export = export_of(records.session, version.export_id)
    slot = records.session.get(Slot, (version.project_id, version.slot))
    servable = Servable.of(version, export)
    target_of(servable.target)
    manifest = records.session.get_one(DataManifest, experiment_of(records.session, export.experiment_id).manifest_id)
    return SwitchJob(
        version_id=version.id, slot=version.slot, before=slot.version_id if slot else None, servable=servable,
        sha256=servable.artifact["sha256"], smoke_trace=servable.bundle / "smoke-trace.json",
        manifest=records.folder / manifest.path, manifest_sha256=manifest.sha256,
    )  # fmt: skip


def made_ready(job: SwitchJob, context: Context) -> SwitchResult:
    """Serve the version and ask it what the export asked of its file.

    With a supervisor in this home the server is the one that will go on serving, so that the switch has no gap.

    Raises:
        StageError(DeploymentPromoteBlocked): The target lacks something on this machine.
        StageError(DeploymentSmokeFailed): The file was changed, or its server does not start, answers otherwise, or not in time.
    """
    try:
        lacking = target_of(job.servable.target).lacking(job.servable)
    except ModelServerFailed as error:
        raise smoke_failed(job, str(error)) from error
    if lacking:
        reason = DeploymentPromoteBlocked(deployment_version_id=job.version_id, slot=job.slot, error=lacking.cause)
        raise StageError(reason, f"{job.servable.model} can't be served here", cause=lacking.cause, next_step=lacking.next_step)
    weights = job.servable.weights
    found = sha256(weights) if weights.is_file() else None
    if found != job.sha256:
        raise smoke_failed(job, "the exported file is missing" if found is None else "the exported file was changed")
    with _live(job) as endpoint:
        try:
            smoke = ask_live(endpoint, Smoke.of(job.servable, job.smoke_trace, job.manifest, job.manifest_sha256), context.check)
        except (Unanswered, SmokeMissed) as error:
            raise smoke_failed(job, str(error)) from error
    return SwitchResult(
        version_id=job.version_id, before_version_id=job.before, asked=smoke.asked, same=smoke.same, by=smoke.by
    )  # fmt: skip


@contextmanager
def _live(job: SwitchJob) -> Iterator[Endpoint]:
    seconds = target_of(job.servable.target).ready_seconds
    if supervisor_runs():
        with wanting(job.version_id):
            endpoint = wait_for(job.version_id, seconds, give_up=True)
            if endpoint is None:
                cause = failure_of(job.version_id)
                late = f"its model server was not ready after {seconds:.0f} s"
                raise smoke_failed(job, f"its model server did not start: {cause}" if cause else late)
            yield endpoint
        return
    try:
        with serve_for_now(job.servable, on_trial=True) as endpoint:
            yield endpoint
    except ModelServerFailed as error:
        raise smoke_failed(job, f"its model server did not start: {error}") from error


def move_slot(
    version: DeploymentVersion, result: SwitchResult, session: Session, leaves: Literal["superseded", "rolled_back"]
) -> DeploymentVersion | None:
    """Point the slot to the version; returns the one that it pointed to, in the state that it is left in.

    Raises:
        StageError(DeploymentStateConflict): The slot was moved by someone else meanwhile.
    """
    slot = session.get(Slot, (version.project_id, version.slot))
    if slot is None:
        slot = Slot(project_id=version.project_id, name=version.slot, version_id=None)
        session.add(slot)
    if slot.version_id != result.before_version_id:
        raise StageError(
            DeploymentStateConflict(), where=f"slot {version.slot}", cause="it was moved while this version was tried"
        )
    former = session.get(DeploymentVersion, slot.version_id) if slot.version_id else None
    if former:
        former.state, former.changed_at = leaves, now()
        session.flush()  # the database holds a slot to one promoted version
    slot.version_id = version.id
    version.state, version.changed_at = "promoted", now()
    version.smoke = {"asked": result.asked, "same": result.same, "by": result.by}
    return former


def after(run: Run) -> None:
    """Give back what the former version runs on other machines. A supervisor does it itself, once no request runs there."""
    if supervisor_runs():
        return
    with reading() as session:
        result = run_of(session, run.id).result or {}
        former = session.get(DeploymentVersion, result.get("before_version_id") or 0)
        served = Servable.of(former, export_of(session, former.export_id)) if former else None
    if served:
        target_of(served.target).release(served)


def smoke_failed(job: SwitchJob, cause: str) -> StageError:
    """The version can't be made live; the slot stays where it is."""
    reason = DeploymentSmokeFailed(deployment_version_id=job.version_id, slot=job.slot, error=cause)
    return StageError(reason, f"{job.servable.model} was not made live", cause=cause)
