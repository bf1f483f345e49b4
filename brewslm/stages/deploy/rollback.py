"""deploy.rollback: back to the version that answered before this one."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.deployment import DeploymentRollbackNoPredecessor
from brewslm.stages.contract import Request
from brewslm.stages.deploy.changes import changed, version_in
from brewslm.stages.deploy.switch import SwitchJob, SwitchResult, job_for, made_ready, move_slot
from brewslm.store.records import Records
from brewslm.store.tables import DeploymentVersion, Run


class RollbackRequest(Request):
    """Take a promoted version back; the one that it superseded answers again."""

    deployment: int


def resolve(request: RollbackRequest, records: Records) -> SwitchJob:
    """Freeze the predecessor.

    Raises:
        StageError(DeploymentStateConflict): The version is not promoted.
        StageError(DeploymentRollbackNoPredecessor): Nothing answered before it.
    """
    return job_for(predecessor_of(request, records), records)


def predecessor_of(request: RollbackRequest, records: Records) -> DeploymentVersion:
    """The version that this one superseded.

    It was written down when this one was promoted, and is not told by the times of changes: a clock may be set back.

    Raises:
        StageError(DeploymentStateConflict): The version is not promoted.
        StageError(DeploymentRollbackNoPredecessor): Nothing answered before it.
    """
    version = version_in(records.session, request.deployment, "promoted")
    predecessor = records.session.get(DeploymentVersion, version.predecessor_id) if version.predecessor_id else None
    if predecessor is None:
        cause = "nothing answered in this slot before it"
        reason = DeploymentRollbackNoPredecessor(deployment_version_id=version.id, slot=version.slot, error=cause)
        raise StageError(reason, f"{version.slot} v{version.version} was not rolled back", cause=cause)
    return predecessor


def run(job: SwitchJob, context: Context) -> SwitchResult:
    """Make the predecessor ready and ask it: a rollback onto a broken file would take the slot down.

    Raises:
        StageError(DeploymentSmokeFailed): It does not answer as the exported file did.
    """
    context.check()
    return made_ready(job, context)


def record(result: SwitchResult, session: Session, run: Run) -> Sequence[Reason]:
    """The commit that is the switch: promoted → rolled_back, and superseded → promoted."""
    predecessor = version_in(session, result.version_id, "superseded")
    rolled_back = move_slot(predecessor, result, session, leaves="rolled_back")
    assert rolled_back is not None
    return changed(predecessor, run, "rollback", f"v{rolled_back.version}", f"v{predecessor.version}")
