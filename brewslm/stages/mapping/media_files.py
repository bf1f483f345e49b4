"""Pictures and recordings of rows: kept before the rows are written, forgotten when no row names them any more."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.media import FOLDER, MediaFolder, MediaKind, Unusable, forget, named_in
from brewslm.rows import RejectedRow, RowFile
from brewslm.rows.model import TransformedRows
from brewslm.stages.mapping.job import SYNTHETIC_PATH
from brewslm.store.files import project_folder
from brewslm.store.records import live_spans
from brewslm.store.tables import GoldRow, GoldSet


def with_media(
    fields: Mapping[str, MediaKind], rows: TransformedRows, refused: list[RejectedRow], media: MediaFolder
) -> tuple[TransformedRows, list[RejectedRow]]:
    """Mapped rows with the facts of their files in the place of paths; a row whose file can't be taken is refused."""
    chosen, more = [], list(refused)
    for number, payload in enumerate(rows.payloads):
        taken = _taken(fields, payload, media)
        if isinstance(taken, Unusable):
            more.append(RejectedRow(rows.positions[number], taken.reason, taken.detail, rows.raw[number]))
        else:
            rows.payloads[number] = taken
        chosen.append(not isinstance(taken, Unusable))
    return rows.only(chosen), sorted(more, key=attrgetter("position"))


def _taken(fields: Mapping[str, MediaKind], payload: dict[str, Any], media: MediaFolder) -> dict[str, Any] | Unusable:
    made = dict(payload)
    for field, kind in fields.items():
        if field in payload:
            taken = media.take(payload[field], kind)
            if isinstance(taken, Unusable):
                return taken
            made[field] = taken
    return made


def forget_unnamed(session: Session, project: int) -> int:
    """Remove the project's media files that no row names: neither one that counts, nor one of a frozen manifest or a gold set.

    Those of a manifest stay although its import was undone: what was trained on them can be trained again.
    """
    folder = project_folder(project)
    if not (folder / FOLDER).is_dir():
        return 0
    named = set(named_in(row["payload"] for row in RowFile(folder / SYNTHETIC_PATH).rows(live_spans(session, project))))
    for version in sorted((folder / "prepared").glob("v*")):
        for split in ("train", "eval", "gold"):
            named |= set(named_in(row["payload"] for row in RowFile(version / f"{split}.jsonl").rows()))
    gold = select(GoldRow.payload).join(GoldSet, GoldSet.id == GoldRow.gold_set_id).where(GoldSet.project_id == project)
    named |= set(named_in(session.scalars(gold)))
    return forget(folder, named)
