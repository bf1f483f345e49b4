"""Read-only views of a project's data manifests."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from brewslm.rows import RowFile
from brewslm.rows.manifest import Manifest, PreparedData
from brewslm.store.database import reading
from brewslm.store.files import project_folder, read_json
from brewslm.store.records import manifest_of, project_of
from brewslm.store.tables import DataManifest

_COMPARED = ("task_profile", "adapter_preset", "seed", "output_schema", "base_model", "imports", "pii", "ledger")


class ManifestSummary(BaseModel):
    """One version.

    Attributes:
        is_active: Whether it is the one in use.
        rows: Of train (without dev), dev, eval and gold.
    """

    version: int
    is_active: bool
    task_profile: str
    rows: dict[str, int]
    sha256: str
    run: str
    created_at: datetime


class ManifestView(BaseModel):
    """A manifest, what was counted over its rows, and its dataset card."""

    summary: ManifestSummary
    manifest: Manifest
    statistics: dict[str, Any]
    card: str


class ManifestDiff(BaseModel):
    """What is different between two versions.

    Attributes:
        added, removed: Rows that only one of them has in a split.
        moved: Rows that stand in another split than before, dev being one.
        changed: Other parts of the manifest, before and after.
    """

    before: int
    after: int
    before_rows: dict[str, int]
    after_rows: dict[str, int]
    added: int
    removed: int
    moved: int
    moved_row_ids: list[str]
    changed: dict[str, tuple[Any, Any]]


def manifests(project_id: int) -> list[ManifestSummary]:
    """Every version, newest first.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        active = project_of(session, project_id).active_manifest
        query = select(DataManifest).where(DataManifest.project_id == project_id).order_by(DataManifest.version.desc())
        return [_summary(one, active) for one in session.scalars(query)]


def manifest(project_id: int, version: int | None = None) -> ManifestView:
    """One version, or the one in use, with every file of it verified.

    Raises:
        StageError(NotPrepared): There is no such version.
        StageError(ManifestMismatch): A file of it was changed.
    """
    with reading() as session:
        found = manifest_of(session, project_id, version)
        summary = _summary(found, project_of(session, project_id).active_manifest)
    data = _data(project_id, found)
    folder = data.path.parent
    return ManifestView(
        summary=summary,
        manifest=data.manifest,
        statistics=read_json(folder / "statistics.json"),
        card=(folder / "README.md").read_text(),
    )


def manifest_diff(project_id: int, before: int, after: int) -> ManifestDiff:
    """Compare two versions, row by row.

    Raises:
        StageError(NotPrepared, ManifestMismatch): One of them is not there, or was changed.
    """
    with reading() as session:
        old, new = (_data(project_id, manifest_of(session, project_id, version)) for version in (before, after))
    sides, moved, added = _sides(old), [], 0
    for row_id, side in _rows(new):
        was = sides.pop(row_id, None)
        added += was is None
        if was is not None and was != side:
            moved.append(row_id)
    parts = [(one.manifest.model_dump(mode="json")) for one in (old, new)]
    return ManifestDiff(
        before=before, after=after, before_rows=old.manifest.rows, after_rows=new.manifest.rows, added=added,
        removed=len(sides), moved=len(moved), moved_row_ids=moved[:100],
        changed={name: (parts[0][name], parts[1][name]) for name in _COMPARED if parts[0][name] != parts[1][name]},
    )  # fmt: skip


def _sides(data: PreparedData) -> dict[str, str]:
    return dict(_rows(data))


def _rows(data: PreparedData) -> "Any":
    for split, file in data.manifest.splits.items():
        for row in RowFile(data.path.parent / file.path).rows():
            yield row["row_id"], row.get("slice") or split


def _data(project_id: int, found: DataManifest) -> PreparedData:
    return PreparedData(project_folder(project_id) / Path(found.path), found.sha256)


def _summary(one: DataManifest, active: int | None) -> ManifestSummary:
    return ManifestSummary(
        version=one.version,
        is_active=one.version == active,
        task_profile=one.task_profile,
        rows=one.rows,
        sha256=one.sha256,
        run=one.run_id,
        created_at=one.created_at,
    )
