"""A read-only view of what the variants of an export are worth, and which to take under a limit."""

from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.reasons.refusals import NotCompared, UnknownRun
from brewslm.stages.deploy.changes import ENDPOINT, export_of
from brewslm.stages.deploy.promote import must_be_promotable
from brewslm.stages.export.choosing import Limits, Recommendation, recommended
from brewslm.stages.export.compare import CompareResult
from brewslm.store.database import reading
from brewslm.store.tables import DeploymentVersion, Export


class CompressionView(CompareResult):
    """What export.compare measured last, and a recommendation under the limits that were given."""

    recommendation: Recommendation


def compression(export_id: str, limits: Limits) -> CompressionView:
    """The figures of an export's variants.

    Raises:
        StageError(UnknownRun): There is no such export.
        StageError(NotCompared): Its variants were not measured yet.
    """
    with reading() as session:
        export = session.get(Export, export_id)
        found = export.comparison if export else None
    if export is None:
        raise StageError(UnknownRun(), where=export_id, cause="no export has this id")
    if found is None:
        raise StageError(NotCompared(), where=export_id, next_step=f"Run brewslm export compare {export_id}")
    result = CompareResult.model_validate(found)
    chosen = recommended(result.variants, result.higher_is_better, limits)
    return CompressionView(**result.model_dump(), recommendation=chosen)


def promotions(export_id: str) -> dict[str, str]:
    """Variant → why a deployment of it would not be promoted now; "" where nothing speaks against it.

    Raises:
        StageError(UnknownRun): There is no such export.
    """
    with reading() as session:
        export = export_of(session, export_id)
        return {name: _why_not(export, name, session) for name in export.artifacts if not name.startswith("safetensors")}


def _why_not(export: Export, variant: str, session: Session) -> str:
    wished = DeploymentVersion(id=0, slot=ENDPOINT, version=0, export_id=export.run_id, variant=variant)
    try:
        must_be_promotable(wished, session)
    except StageError as error:
        return error.cause
    return ""
