"""A read-only view of what the variants of an export are worth, and which to take under a limit."""

from brewslm.errors import StageError
from brewslm.reasons.refusals import NotCompared, UnknownRun
from brewslm.stages.export.choosing import Limits, Recommendation, recommended
from brewslm.stages.export.compare import CompareResult
from brewslm.store.database import reading
from brewslm.store.tables import Export


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
