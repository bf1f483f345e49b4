"""import.undo: an import's rows count no more. A tombstone: the bytes stay, for models may have learnt from them."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.reasons import Reason
from brewslm.reasons.ingestion import DatasetImportUndone
from brewslm.reasons.refusals import RunConflict, UnknownRun
from brewslm.stages.contract import Request
from brewslm.stages.mapping.job import ROW_FILE
from brewslm.stages.mapping.media_files import forget_unnamed
from brewslm.store.database import reading
from brewslm.store.tables import Import, RowFileState, Run, Source


class UndoRequest(Request):
    """Undo an import, such as "import-3". Its rows can be imported again."""

    import_run: str


def import_of(session: Session, import_run: str) -> Import:
    """The import.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    found = session.get(Import, import_run)
    if found is None:
        raise StageError(UnknownRun(), where=import_run, cause="no import has this id", next_step="See brewslm import list.")
    return found


def project_of(request: UndoRequest, session: Session) -> int:
    """The import's project."""
    return import_of(session, request.import_run).project_id


def record(request: UndoRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Write the tombstone.

    Raises:
        StageError(RunConflict): The import was undone already.
    """
    found = import_of(session, request.import_run)
    if found.undone_by is not None:
        next_step = f"See brewslm import list --project {found.project_id}."
        raise StageError(RunConflict(), f"{found.run_id} was undone already", cause=f"by {found.undone_by}", next_step=next_step)
    found.undone_by = run.id
    session.get_one(RowFileState, (found.project_id, ROW_FILE)).row_count -= found.accepted_count
    source = session.get_one(Source, found.source_id)
    run.result = (run.result or {}) | {"import_run": found.run_id, "rows": found.accepted_count}
    return (DatasetImportUndone(import_run=found.run_id, source=source.locator, rows=found.accepted_count),)


def after(run: Run) -> None:
    """Remove the pictures and recordings that only its rows named: once the tombstone stands, and not before."""
    assert run.project_id is not None
    with reading() as session:
        forget_unnamed(session, run.project_id)
