"""A project's rows, a page at a time, by cursor: no more of a file is read than it takes to fill the page.

Rows stand in row files, which are in the order of their imports. A cursor names a part of them (an import's accepted rows, its
rejected ones, or a split of a manifest), a byte offset in its file, and how many rows of the answer come before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.observe.row_filter import RowFilter
from brewslm.reasons.refusals import InvalidRequest, UnknownRun
from brewslm.rows import RowFile
from brewslm.rows.browsing import lines_before, lines_from
from brewslm.rows.forgetting import is_forgotten
from brewslm.rows.manifest import Manifest
from brewslm.store.database import reading
from brewslm.store.files import project_folder, read_json
from brewslm.store.records import imports_of, manifest_of, project_of
from brewslm.store.tables import Import, ImportConfig, Run

PAGE = 50


class RowItem(BaseModel):
    """One row.

    Attributes:
        status: counts, rejected or undone; or its split of the manifest that was asked for.
        position: In its source, from 1.
        values: What it says: its payload, or what was rejected as it stood in the source.
        labels: Of them, what is a label.
    """

    row_id: str
    status: str
    import_run: str | None = None
    position: int | None = None
    reason: str | None = None
    detail: str | None = None
    labels: list[str] = []
    values: dict[str, Any] = {}
    is_forgotten: bool = False


class RowPage(BaseModel):
    """Rows, and the way on.

    Attributes:
        first: The place of the first one among all that were asked for, from 1.
        total: How many there are; None where that is not known without reading them all.
        previous, next: Cursors; None where there is nothing more.
    """

    rows: list[RowItem]
    first: int
    total: int | None
    previous: str | None
    next: str | None


class Place(NamedTuple):
    """A cursor, taken apart."""

    part: str
    offset: int
    rank: int

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """A cursor of an answer.

        Raises:
            StageError(InvalidRequest): It is none.
        """
        part, *numbers = cursor.rsplit(".", 2)
        if len(numbers) != 2 or not all(one.isascii() and one.isdigit() for one in numbers):
            raise StageError(
                InvalidRequest(), "There is no such page of rows", where=cursor, next_step="Begin at the first page."
            )
        return cls(part, *map(int, numbers))

    def __str__(self) -> str:
        return f"{self.part}.{self.offset}.{self.rank}"


@dataclass(frozen=True)
class _Part:
    """A stretch of a row file whose lines have one status.

    Attributes:
        rows: How many; None where lines of another kind stand between them.
        label: The column of a rejected row that would have been its label.
        only: The slice of the train file's lines: "dev", or "train" for those without one; "" for all.
    """

    key: str
    path: Path
    start: int
    end: int
    status: str
    rows: int | None
    import_run: str | None = None
    label: str = "label"
    only: str = ""

    def labels(self, values: dict[str, Any]) -> list[str]:
        many = values.get("labels")
        found = many if self.status != "rejected" and isinstance(many, list) else [values.get(self.label)]
        return [one for one in found if isinstance(one, str)]

    def holds(self, line: dict[str, Any]) -> bool:
        return not self.only or line.get("slice", "train") == self.only

    def item(self, line: dict[str, Any]) -> RowItem:
        values = line.get("payload") or line.get("raw") or {}
        return RowItem(
            row_id=line["row_id"], status=line.get("slice") or self.status, import_run=self.import_run,
            position=line.get("position"), reason=line.get("reason"), detail=line.get("detail"), labels=self.labels(values),
            values=values, is_forgotten=is_forgotten(line.get("payload", line.get("raw"))),
        )  # fmt: skip


def row_page(project: int, asked: RowFilter, after: str | None = None, before: str | None = None, limit: int = PAGE) -> RowPage:
    """One page, the oldest rows first.

    Args:
        after: The cursor `next` of a page.
        before: The cursor `previous` of a page.

    Raises:
        StageError(UnknownProject, UnknownRun, NotPrepared): There is no such project, import or manifest.
        StageError(InvalidRequest): A cursor is none of these rows.
    """
    with reading() as session:
        project_of(session, project)
        parts = _parts(session, project, asked)
    place = Place.read(before or after or ".0.0")
    if place.part and place.part not in {part.key for part in parts}:
        raise StageError(
            InvalidRequest(), "There is no such page of rows", where=place.part, next_step="Begin at the first page."
        )
    found = _backward(parts, asked, place, limit) if before else _forward(parts, asked, place, limit)
    rows = [part.item(line) for part, _, _, line in found.rows]
    return RowPage(
        rows=_told(project, rows) if asked.of_rejected and asked.manifest is not None else rows,
        first=found.rank + 1, total=_total(parts) if not asked.is_narrow else None if found.next else found.rank + len(rows),
        previous=found.previous, next=found.next,
    )  # fmt: skip


Found = tuple[_Part, int, int, dict[str, Any]]
"""A row's part, where its line begins and ends, and the line."""


@dataclass(frozen=True)
class _Window:
    rows: Sequence[Found]
    rank: int
    previous: str | None
    next: str | None


def _forward(parts: Sequence[_Part], asked: RowFilter, place: Place, limit: int) -> _Window:
    found: list[Found] = []
    begun = not place.part
    for part in parts:
        begun, here = begun or part.key == place.part, part.key == place.part
        if begun:
            found += _matching(part, asked, place.offset if here else part.start, part.end, limit + 1 - len(found))
        if len(found) > limit:
            break
    more, found = len(found) > limit, found[:limit]
    rank = place.rank if found else 0
    last = str(Place(found[-1][0].key, found[-1][2], rank + len(found))) if more else None
    return _Window(found, rank, str(Place(found[0][0].key, found[0][1], rank)) if found and rank else None, last)


def _backward(parts: Sequence[_Part], asked: RowFilter, place: Place, limit: int) -> _Window:
    found: list[Found] = []
    begun = False
    for part in reversed(parts):
        here = part.key == place.part
        begun = begun or here
        if begun:
            end = place.offset if here else part.end
            found += _matching(part, asked, part.start, end, limit + 1 - len(found), backward=True)
        if len(found) > limit:
            break
    more, found = len(found) > limit, found[:limit][::-1]
    rank = max(place.rank - len(found), 1) if more else 0
    first = str(Place(found[0][0].key, found[0][1], rank)) if more else None
    return _Window(found, rank, first, str(Place(place.part, place.offset, rank + len(found))))


def _matching(part: _Part, asked: RowFilter, start: int, end: int, most: int, backward: bool = False) -> list[Found]:
    """Up to so many rows of a part that are asked for, nearest first."""
    found: list[Found] = []
    if start >= end or not part.path.exists():
        return found
    for offset, line in (lines_before if backward else lines_from)(part.path, start, end, asked.needles()):
        row = _read(line)
        if part.holds(row) and asked.matches(row, part.labels):
            found.append((part, offset, offset + len(line), row))
            if len(found) == most:
                break
    return found


def _read(line: bytes) -> dict[str, Any]:
    try:
        row: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        next_step = "Begin at the first page."
        raise StageError(
            InvalidRequest(), "There is no such page of rows", cause="no row begins there", next_step=next_step
        ) from error
    return row


def _total(parts: Sequence[_Part]) -> int | None:
    counts = [part.rows for part in parts]
    return None if None in counts else sum(one for one in counts if one is not None)


def _parts(session: Session, project: int, asked: RowFilter) -> list[_Part]:
    folder = project_folder(project)
    if asked.manifest is not None:
        found = manifest_of(session, project, asked.manifest)
        return list(_of_manifest((folder / found.path).parent, asked))
    imports = imports_of(session, project)
    if asked.import_run is not None and asked.import_run not in {one.run_id for one in imports}:
        raise StageError(UnknownRun(), f"no import of this project is {asked.import_run}", where=f"project {project}")
    chosen = [one for one in imports if asked.import_run in (None, one.run_id)]
    if asked.status == "rejected":
        those = (one for one in chosen if one.rejected_count and (asked.import_run or one.undone_by is None))
        return [_rejected(session, folder, one, asked.reason) for one in those]
    path = folder / "synthetic" / "synthetic.jsonl"
    return [
        _Part(one.run_id, path, one.start_byte, one.end_byte, asked.status, one.accepted_count, one.run_id)
        for one in chosen
        if one.accepted_count and (one.undone_by is None) == (asked.status == "counts")
    ]


def _rejected(session: Session, folder: Path, one: Import, reason: str | None) -> _Part:
    path = folder / "rejected" / f"{one.run_id}.jsonl"
    run, config = session.get_one(Run, one.run_id), session.get_one(ImportConfig, one.config_id)
    rows = (run.result or {}).get("rejection_counts", {}).get(reason, 0) if reason else one.rejected_count
    end = path.stat().st_size if path.exists() else 0
    return _Part(one.run_id, path, 0, end, "rejected", rows, one.run_id, label=config.field_map.get("label", "label"))


def _of_manifest(folder: Path, asked: RowFilter) -> Iterator[_Part]:
    manifest = Manifest.model_validate(read_json(folder / "manifest.json"))
    for split, file in manifest.splits.items():
        if asked.split in (None, split) or (asked.split, split) == ("dev", "train"):
            only = asked.split if split == "train" and asked.split else ""
            rows = manifest.rows.get(only, 0) if only else file.rows
            yield _Part(split, folder / file.path, 0, file.size_bytes, split, rows, only=only)
    if asked.split == "rejected":
        path, rejected = folder / "rejected.jsonl", manifest.ledger.rejected
        rows = rejected.get(asked.reason, 0) if asked.reason else sum(rejected.values())
        yield _Part("rejected", path, 0, path.stat().st_size if path.exists() else 0, "rejected", rows)


def _told(project: int, rows: list[RowItem]) -> list[RowItem]:
    """Rows of which their file says no more than their id, with what the project's rows say."""
    known = RowFile(project_folder(project) / "synthetic" / "synthetic.jsonl").find_many([one.row_id for one in rows])
    return [
        one.model_copy(update={"values": line["payload"], "import_run": line["import_run"], "position": line["position"]})
        if (line := known.get(one.row_id))
        else one
        for one in rows
    ]
