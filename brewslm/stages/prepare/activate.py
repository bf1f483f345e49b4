"""manifest.activate: take an earlier (or later) manifest version into use again."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from brewslm.reasons import Reason
from brewslm.reasons.prepare import ManifestActivated
from brewslm.rows.manifest import PreparedData
from brewslm.stages.contract import ProjectRequest
from brewslm.stages.prepare.link import point_at
from brewslm.store.files import project_folder
from brewslm.store.records import manifest_of, project_of
from brewslm.store.tables import Run


class ActivateRequest(ProjectRequest):
    """Use this version of the project's data manifest from now on."""

    version: int


def activate(request: ActivateRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Check every file of the version, then point at it.

    Raises:
        StageError(NotPrepared): There is no such version.
        StageError(ManifestMismatch): One of its files was changed.
    """
    found, project = manifest_of(session, request.project, request.version), project_of(session, request.project)
    PreparedData(project_folder(project.id) / found.path, found.sha256)
    former, project.active_manifest = project.active_manifest, found.version
    run.result = {"version": found.version, "former_version": former}
    point_at(project_folder(project.id) / "prepared", found.version)
    return [ManifestActivated(manifest_version=found.version, manifest_sha256=found.sha256, former_version=former)]
