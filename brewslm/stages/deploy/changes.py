"""deploy.create and deploy.reject: a version comes, or is turned down before it ever answered."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brewslm.errors import StageError, did_you_mean
from brewslm.reasons import Reason
from brewslm.reasons.deployment import DeploymentChanged
from brewslm.reasons.refusals import (
    DeploymentStateConflict,
    InvalidRequest,
    NotExported,
    TargetRefused,
    UnknownDeployment,
    UnknownRun,
)
from brewslm.serving.targets import Servable, Target, target_of
from brewslm.stages.contract import Request
from brewslm.store.tables import DeploymentVersion, Export, Run, now

ENDPOINT = "default"
_ENDPOINT = re.compile(r"[a-z][a-z0-9_-]{0,59}")
TARGET = "local"
_SETTING_SHOWN = 80


class CreateRequest(Request):
    """A new version, pending, from one variant of an export.

    Attributes:
        variant: Left out, the one that the target serves best.
        endpoint: The name under which it will answer: with the export's project it is the slot, in which versions are counted.
        target: What will serve it: see `serving.targets`.
        settings: Of the target, such as {"parallel": "8"}.
    """

    export: str
    variant: str | None = None
    endpoint: str = ENDPOINT
    target: str = TARGET
    settings: dict[str, str] = {}


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
        StageError(UnknownDeployment): There is none of this id.
    """
    found = session.get(DeploymentVersion, version_id)
    if found is None:
        raise StageError(UnknownDeployment(), where=f"deployment {version_id}")
    return found


def version_in(session: Session, version_id: int, *states: str) -> DeploymentVersion:
    """The deployment version, in one of these states.

    Raises:
        StageError(UnknownDeployment): There is none of this id.
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
        StageError(InvalidRequest): The endpoint's name is not one, or a setting is not one of the target.
        StageError(UnknownTarget): There is no such target.
        StageError(NotExported): The export has no such variant.
        StageError(TargetRefused): The target can't serve it.
    """
    export = export_of(session, request.export)
    slot, target = checked_endpoint(request.endpoint), target_of(request.target)
    newest = session.scalar(
        select(func.max(DeploymentVersion.version)).where(
            DeploymentVersion.project_id == export.project_id, DeploymentVersion.slot == slot
        )
    )
    made = DeploymentVersion(
        project_id=export.project_id, slot=slot, version=(newest or 0) + 1, export_id=export.run_id,
        variant=_variant(request.variant, target, export), target=target.name,
        settings=checked_settings(target, request.settings), state="pending", actor=run.actor,
    )  # fmt: skip
    refusal = target.refusal(Servable.of(made, export))
    if refusal:
        what = f"the target {target.name} can't serve {made.variant}"
        raise StageError(TargetRefused(), what, where=request.export, cause=refusal)
    session.add(made)
    session.flush()
    return changed(made, run, "create", None, "pending")


def _variant(wanted: str | None, target: Target, export: Export) -> str:
    known = [name for name in export.artifacts if not name.startswith("safetensors")]
    found = target.preferred(known) if wanted is None else wanted
    if found in known:
        return found
    cause = did_you_mean(found, known) if found else f"of what it has, {target.name} serves nothing: {', '.join(known) or 'none'}"
    raise StageError(NotExported(), f"{found or 'It'} can't be deployed", where=export.run_id, cause=cause)


def checked_settings(target: Target, given: Mapping[str, str]) -> dict[str, Any]:
    """The target's settings as they are kept: those that were given, in their own types.

    Raises:
        StageError(InvalidRequest): One is not a setting of the target, has no value that it can have, or is missing.
    """
    try:
        return target.Settings.model_validate(dict(given)).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        known = did_you_mean(name, target.Settings.model_fields) if first["type"] == "extra_forbidden" else ""
        cause = known or first["msg"].removeprefix("Value error, ")
        what = f"the target {target.name} can't be set so"
        raise StageError(InvalidRequest(), what, where=name[:_SETTING_SHOWN], cause=cause) from None


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
        "variant": version.variant, "target": version.target, "state": version.state, "before": before, "after": after,
    }  # fmt: skip
    return [
        DeploymentChanged(
            action=action, deployment_version_id=version.id, slot=version.slot, actor=run.actor, before=before, after=after
        )
    ]  # fmt: skip
