"""How a project's rows can be told apart, with the rows of each: what a filter offers."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.observe.row_filter import RowStatus
from brewslm.store.database import reading
from brewslm.store.records import imports_of, project_of
from brewslm.store.tables import DataManifest, Import, Run, Source

MOST_LABELS = 200


class ImportFacet(BaseModel):
    """An import, by its rows."""

    import_run: str
    locator: str
    accepted: int
    rejected: int
    is_undone: bool


class SplitFacet(BaseModel):
    """A version of the data manifest, by the rows of its splits; train is without dev."""

    manifest: int
    rows: dict[str, int]
    rejected: dict[str, int]


class RowFacets(BaseModel):
    """All of them. Rejected rows are those of imports that count.

    Attributes:
        reasons: Rows by the reason that an import rejected them for, the most first.
        labels: Accepted rows by label, the most first; up to 200 labels.
        imports: The oldest first.
        manifests: The newest first.
    """

    statuses: dict[RowStatus, int]
    reasons: dict[str, int]
    labels: dict[str, int]
    imports: list[ImportFacet]
    manifests: list[SplitFacet]


def row_facets(project: int, import_run: str | None = None) -> RowFacets:
    """Read them from tables: no row is looked at.

    Args:
        import_run: Statuses, reasons and labels of this import alone, whether it counts or not.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project)
        imports = imports_of(session, project)
        chosen = [one for one in imports if import_run in (None, one.run_id)]
        seen = [one for one in chosen if import_run or one.undone_by is None]
        results = [(session.get_one(Run, one.run_id).result or {}) for one in seen]
        return RowFacets(
            statuses={
                "counts": sum(one.accepted_count for one in chosen if one.undone_by is None),
                "rejected": sum(one.rejected_count for one in seen),
                "undone": sum(one.accepted_count for one in chosen if one.undone_by is not None),
            },
            reasons=_summed([one.get("rejection_counts", {}) for one in results]),
            labels=_summed([one.get("labels", {}) for one in results]),
            imports=[_import(session, one) for one in imports],
            manifests=_manifests(session, project),
        )


def _import(session: Session, one: Import) -> ImportFacet:
    return ImportFacet(
        import_run=one.run_id, locator=session.get_one(Source, one.source_id).locator, accepted=one.accepted_count,
        rejected=one.rejected_count, is_undone=one.undone_by is not None,
    )  # fmt: skip


def _manifests(session: Session, project: int) -> list[SplitFacet]:
    query = select(DataManifest).where(DataManifest.project_id == project).order_by(DataManifest.version.desc())
    found = [(one, (session.get_one(Run, one.run_id).result or {}).get("ledger", {})) for one in session.scalars(query)]
    return [SplitFacet(manifest=one.version, rows=one.rows, rejected=ledger.get("rejected", {})) for one, ledger in found]


def _summed(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    every: Counter[str] = Counter()
    for one in counts:
        every.update(one)
    return dict(every.most_common(MOST_LABELS))
