"""A project's imports, the mappings that they used, and the rows that they rejected."""

from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.rows import RowFile
from brewslm.sources.base import MAX_LINE_BYTES
from brewslm.stages.mapping.undo import import_of
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.records import imports_of, project_of
from brewslm.store.tables import Import, ImportConfig, Run, Source


class ImportView(BaseModel):
    """One commit.

    Attributes:
        parent_import: The import whose rejected rows these are, mended.
        undone_by: The run that undid it; its rows count no more.
    """

    import_run: str
    locator: str
    mapper: str
    config_id: int
    accepted_count: int
    rejected_count: int
    rejection_counts: dict[str, int]
    parent_import: str | None
    undone_by: str | None
    created_at: datetime


class ConfigView(BaseModel):
    """A mapping that was used, to be used again by its number."""

    config_id: int
    locator: str
    mapper: str
    field_map: dict[str, str]
    drop_reasons: list[str]
    created_at: datetime


def imports(project: int) -> list[ImportView]:
    """Every import, undone ones too, oldest first.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project)
        return [_view(session, one) for one in imports_of(session, project)]


def configs(project: int) -> list[ConfigView]:
    """Every mapping that an import of the project used.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project)
        found = session.scalars(select(ImportConfig).where(ImportConfig.project_id == project).order_by(ImportConfig.id))
        return [
            ConfigView(
                config_id=one.id, locator=one.locator, mapper=one.mapper, field_map=one.field_map,
                drop_reasons=list(one.drop_reasons), created_at=one.created_at,
            )
            for one in found
        ]  # fmt: skip


def rejected_rows(import_run: str, reasons: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """The rows that an import rejected, to be mended: what `mended:` reads again.

    Each has row_id, position, reason, detail and raw; what could not be read as JSON has its whole line as `text` too.

    Args:
        reasons: Only rows rejected for these; all when left out.

    Raises:
        StageError(UnknownRun): No import has this id.
    """
    with reading() as session:
        found = import_of(session, import_run)
        source = session.get_one(Source, found.source_id)
    folder = project_folder(found.project_id)
    rows = RowFile(folder / "rejected" / f"{import_run}.jsonl").rows()
    kept = folder / source.path
    return (_with_line(row, kept) for row in rows if not reasons or row["reason"] in reasons)


def _with_line(row: dict[str, Any], kept: Path) -> dict[str, Any]:
    offset = row["raw"].get("byte_offset", -1) if row["raw"].keys() == {"head", "byte_offset"} else -1
    if offset < 0 or kept.suffix != ".jsonl" or not kept.exists():
        return row
    with kept.open("rb") as file:
        file.seek(offset)
        line = file.readline(MAX_LINE_BYTES)
    return row | {"text": line.decode("utf-8", errors="replace").rstrip("\r\n")}


def as_lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Rows as JSON lines."""
    return (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _view(session: Session, one: Import) -> ImportView:
    source = session.get_one(Source, one.source_id)
    config = session.get_one(ImportConfig, one.config_id)
    run = session.get_one(Run, one.run_id)
    return ImportView(
        import_run=one.run_id, locator=source.locator, mapper=config.mapper, config_id=config.id,
        accepted_count=one.accepted_count, rejected_count=one.rejected_count,
        rejection_counts=(run.result or {}).get("rejection_counts", {}), parent_import=one.parent_import,
        undone_by=one.undone_by, created_at=one.created_at,
    )  # fmt: skip
