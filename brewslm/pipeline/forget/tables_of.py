"""The tables: texts of forgotten rows are taken out of them, and the hashes in them follow the files."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.pipeline.forget.hashes import whole_files
from brewslm.rows.forgetting import Forgetting
from brewslm.rows.reasons import RowReason
from brewslm.store import tables
from brewslm.store.files import sha256

_JSON: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (tables.Run, ("request", "result", "problem")),
    (tables.Evaluation, ("scorecard",)),
    (tables.Export, ("artifacts", "comparison")),
    (tables.DeploymentVersion, ("smoke",)),
)
"""Columns that may quote a row, of tables that name their project."""


def forget(session: Session, project: int, forgetting: Forgetting) -> None:
    """Take the rows' texts out of every column that may have them."""
    for table, names in _JSON:
        for one in session.scalars(select(table).where(table.project_id == project)):
            _clean(one, names, forgetting)
    for row in _gold(session, project):
        reviews = session.scalars(select(tables.GoldReview).where(tables.GoldReview.gold_row_id == row.id))
        if row.row_id in forgetting.row_ids:
            row.payload = {}
            for review in reviews:
                review.payload = None if review.payload is None else {}


def _gold(session: Session, project: int) -> Iterator[tables.GoldRow]:
    query = select(tables.GoldRow).join(tables.GoldSet, tables.GoldSet.id == tables.GoldRow.gold_set_id)
    yield from session.scalars(query.where(tables.GoldSet.project_id == project))


def _clean(one: Any, names: tuple[str, ...], forgetting: Forgetting) -> None:
    for name in names:
        value = getattr(one, name)
        made = forgetting.value(value)
        if made != value:
            setattr(one, name, made)


def follow(session: Session, project: int, folder: Path, whole: Collection[str]) -> None:
    """The hash of each data manifest and locked gold set that was whole before is that of its file now.

    Args:
        whole: Paths relative to the project's folder.
    """
    for manifest in session.scalars(select(tables.DataManifest).where(tables.DataManifest.project_id == project)):
        _follow(manifest, folder, whole)
    locked = select(tables.GoldSet).where(tables.GoldSet.project_id == project, tables.GoldSet.path.is_not(None))
    for gold_set in session.scalars(locked):
        _follow(gold_set, folder, whole)


def _follow(one: Any, folder: Path, whole: Collection[str]) -> None:
    path = folder / one.path
    if one.path in whole and path.is_file():
        one.sha256 = sha256(path)


def whole(session: Session, project: int, folder: Path) -> list[str]:
    """Every file of data manifests and gold sets that is what its hash says, relative to the project's folder."""
    known = [
        *session.execute(select(tables.DataManifest.path, tables.DataManifest.sha256).filter_by(project_id=project)),
        *session.execute(select(tables.GoldSet.path, tables.GoldSet.sha256).filter_by(project_id=project, state="locked")),
    ]
    found = [path for name, expected in known if name for path in whole_files(folder / name, expected)]
    return [str(path.relative_to(folder)) for path in found]


def forget_document(session: Session, document: int) -> None:
    """Its row says that it is forgotten; of its report nothing is left that has a text."""
    found = session.get_one(tables.Document, document)
    found.reason = RowReason.FORGOTTEN.value
    found.cleaned = None if found.cleaned is None else {"chunks": found.cleaned.get("chunks", 0)}
    session.flush()
