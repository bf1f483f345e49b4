"""Rejected rows that were mended go through stages 1 and 4 again, as their import did."""

from pathlib import Path

from brewslm.errors import StageError
from brewslm.pipeline.execute import OnProgress, call
from brewslm.pipeline.importing import keep
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows import RawRow, RowFile, row_id
from brewslm.rows.identity import id_parts, source_key
from brewslm.sources import connector_of
from brewslm.sources.jsonl import JsonlConnector
from brewslm.stages.mapping import CommitRequest
from brewslm.stages.mapping.undo import import_of
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.tables import Import, ImportConfig, Source


def reimport(actor: str, import_run: str, locator: str, on_progress: OnProgress | None = None) -> RunView:
    """Import the mended rows with the mapping of the import that rejected them.

    Raises:
        StageError: As `planned_reimport`.
        RunFailed: Ingest or commit began and failed.
    """
    return call(actor, planned_reimport(actor, import_run, locator, on_progress), on_progress=on_progress)


def planned_reimport(actor: str, import_run: str, locator: str, on_progress: OnProgress | None = None) -> CommitRequest:
    """The commit that would import them; the mended rows are kept in the project as a source of their own.

    Raises:
        StageError(UnknownRun): No import has this id.
        StageError(InvalidRequest): A row names a parent that this import did not reject.
    """
    with reading() as session:
        parent = import_of(session, import_run)
        config = session.get_one(ImportConfig, parent.config_id)
        rejected_from = session.get_one(Source, parent.source_id)
    connector, reference = connector_of(locator)
    if connector.scheme != "mended":
        raise StageError(InvalidRequest(), f"{locator} can't be reimported", cause="only mended: locators are")
    _check_parents(parent, rejected_from, connector.file(reference))
    source = keep(actor, parent.project_id, locator, None, on_progress)
    return CommitRequest(
        project=parent.project_id, locator=locator, mapper=config.mapper, field_map=config.field_map,
        content_hash=source.content_hash, gold=parent.is_gold, parent_import=import_run,
    )  # fmt: skip


def _check_parents(parent: Import, source: Source, path: Path) -> None:
    """A row's history must be true: each row_id that a line names is one that the import rejected."""
    import numpy as np

    rejected = RowFile(project_folder(parent.project_id) / "rejected" / f"{parent.run_id}.jsonl")
    prefix, _ = id_parts(row_id(source.content_hash, 0))
    known = rejected.index.positions(source_key(prefix), [(0, rejected.path.stat().st_size)])
    next_step = f"Start from brewslm rejected export {parent.run_id}."
    named = 0
    for row in JsonlConnector().rows(path):
        name = row.values.get("row_id") if isinstance(row, RawRow) else None
        if not isinstance(name, str):
            continue  # what is no row is told of as in every import
        named += 1
        of, position = id_parts(name)
        if of != prefix or not known.has(np.array([position], "<u8"))[0]:
            what, cause = "the mended rows are not those of this import", f"{parent.run_id} rejected no such row"
            raise StageError(InvalidRequest(), what, where=f"line {row.position}: {name}", cause=cause, next_step=next_step)
    if not named:
        what, cause = "there are no mended rows in the file", "no line is JSON that names the row_id of a rejected row"
        raise StageError(InvalidRequest(), what, where=path.name, cause=cause, next_step=next_step)
