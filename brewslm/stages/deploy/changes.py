"""deploy.create and deploy.reject: a version comes, or is turned down before it ever answered."""

import re
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.reasons import Reason
from brewslm.reasons.deployment import DeploymentChanged
from brewslm.reasons.refusals import DeploymentStateConflict, InvalidRequest, NotExported, UnknownRun
from brewslm.stages.contract import Request
from brewslm.store.tables import DeploymentVersion, Export, Run, now

ENDPOINT = "default"
_ENDPOINT = re.compile(r"[a-z][a-z0-9_-]{0,59}")
TARGET = "local"
DEFAULT_VARIANT = "gguf-q8_0"


class CreateRequest(Request):
    """A new version, pending, from one GGUF variant of an export.

    Attributes:
        endpoint: The name under which it will answer: with the export's project it is the slot, in which versions are counted.
    """

    export: str
    variant: str = DEFAULT_VARIANT
    endpoint: str = ENDPOINT


class RejectRequest(Request):
    """Turn a pending version down."""

    deployment: int


def export_of(session: Session, export_id: str) -> Export:
    """The export.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    found = session.get(Export, export_id)
    if found is None:
        raise StageError(UnknownRun(), where=export_id, cause="no export has this id")
    return found


def version_of(session: Session, version_id: int) -> DeploymentVersion:
    """The deployment version.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    found = session.get(DeploymentVersion, version_id)
    if found is None:
        raise StageError(UnknownRun(), where=f"deployment {version_id}", cause="no deployment version has this id")
    return found


def version_in(session: Session, version_id: int, *states: str) -> DeploymentVersion:
    """The deployment version, in one of these states.

    Raises:
        StageError(UnknownRun): There is none of this id.
        StageError(DeploymentStateConflict): It is in another state.
    """
    found = version_of(session, version_id)
    if found.state not in states:
        where = f"deployment {version_id} (v{found.version})"
        raise StageError(DeploymentStateConflict(), where=where, cause=f"it is {found.state}, not {' or '.join(states)}")
    return found


def project_of_create(request: CreateRequest, session: Session) -> int:
    """The export's project."""
    return export_of(session, request.export).project_id


def project_of_version(request: "RejectRequest", session: Session) -> int:
    """The version's project; for every request that names a deployment."""
    return version_of(session, request.deployment).project_id


def create(request: CreateRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Write the version, pending.

    Raises:
        StageError(InvalidRequest): The endpoint's name is not one.
        StageError(NotExported): The export has no such variant, or the local target can't serve it.
    """
    export = export_of(session, request.export)
    slot = checked_endpoint(request.endpoint)
    served = sorted(name for name in export.artifacts if name.startswith("gguf"))
    if request.variant not in served:
        cause = f"the local target serves GGUF; {request.export} has {', '.join(served) or 'none'}"
        raise StageError(NotExported(), f"{request.variant} can't be deployed", where=request.export, cause=cause)
    newest = session.scalar(
        select(func.max(DeploymentVersion.version)).where(
            DeploymentVersion.project_id == export.project_id, DeploymentVersion.slot == slot
        )
    )
    made = DeploymentVersion(
        project_id=export.project_id, slot=slot, version=(newest or 0) + 1, export_id=export.run_id, variant=request.variant,
        target=TARGET, state="pending", actor=run.actor,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return changed(made, run, "create", None, "pending")


def checked_endpoint(name: str) -> str:
    """The name, which stands in the endpoint's address and must not be taken for a version's number.

    Raises:
        StageError(InvalidRequest): It is not of the form.
    """
    if not _ENDPOINT.fullmatch(name):
        cause = "it is a lower-case letter, then at most 59 letters, digits, hyphens and underscores"
        raise StageError(InvalidRequest(), "This can't be an endpoint's name", where=name[:80], cause=cause)
    return name


def reject(request: RejectRequest, session: Session, run: Run) -> Sequence[Reason]:
    """pending → rejected.

    Raises:
        StageError(DeploymentStateConflict): It is not pending.
    """
    version = version_in(session, request.deployment, "pending")
    version.state, version.changed_at = "rejected", now()
    return changed(version, run, "reject", "pending", "rejected")


def changed(version: DeploymentVersion, run: Run, action: str, before: str | None, after: str | None) -> Sequence[Reason]:
    """The event of a change, which is also what the run shows."""
    run.result = (run.result or {}) | {
        "deployment": version.id, "version": version.version, "slot": version.slot, "export": version.export_id,
        "variant": version.variant, "state": version.state, "before": before, "after": after,
    }  # fmt: skip
    return [
        DeploymentChanged(
            action=action, deployment_version_id=version.id, slot=version.slot, actor=run.actor, before=before, after=after
        )
    ]  # fmt: skip
