"""Rejected rows that were mended go through stages 1 and 4 again, as their import did."""

from pathlib import Path

import orjson

from brewslm.errors import StageError
from brewslm.pipeline.execute import OnProgress, call
from brewslm.pipeline.importing import keep
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows import RowFile
from brewslm.rows.identity import id_parts
from brewslm.sources import connector_of
from brewslm.stages.mapping import CommitRequest
from brewslm.stages.mapping.undo import import_of
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.tables import Import, ImportConfig


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
    connector, reference = connector_of(locator)
    if connector.scheme != "mended":
        raise StageError(InvalidRequest(), f"{locator} can't be reimported", cause="only mended: locators are")
    _check_parents(parent, connector.file(reference))
    source = keep(actor, parent.project_id, locator, None, on_progress)
    return CommitRequest(
        project=parent.project_id, locator=locator, mapper=config.mapper, field_map=config.field_map,
        content_hash=source.content_hash, parent_import=import_run,
    )  # fmt: skip


def _check_parents(parent: Import, path: Path) -> None:
    """A row's history must be true: each row_id is one that the import rejected, and keeps its place in the index."""
    rejected = RowFile(project_folder(parent.project_id) / "rejected" / f"{parent.run_id}.jsonl")
    known = {id_parts(row["row_id"]) for row in rejected.rows()}
    next_step = f"Start from brewslm rejected export {parent.run_id}."
    found = False
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # a sentinel, which is told of as every other
            named = row.get("row_id") if isinstance(row, dict) else None
            if not isinstance(named, str):
                continue
            found = True
            if id_parts(named) not in known:
                what, cause = "the mended rows are not those of this import", f"{parent.run_id} rejected no such row"
                raise StageError(InvalidRequest(), what, where=f"line {number}: {named}", cause=cause, next_step=next_step)
    if not found:
        what, cause = "there are no mended rows in the file", "no line is JSON that names the row_id of a rejected row"
        raise StageError(InvalidRequest(), what, where=path.name, cause=cause, next_step=next_step)
