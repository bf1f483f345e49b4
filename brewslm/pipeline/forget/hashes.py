"""Manifests and gold sets after a row was forgotten: their hashes are those of what stands there, and they say why."""

import hashlib
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from brewslm.pipeline.forget.sweep import Note
from brewslm.rows import Ledger, RowFile, RowReason
from brewslm.rows.forgetting import is_forgotten
from brewslm.rows.gold import GoldManifest
from brewslm.rows.manifest import Forgotten, Manifest, PreparedFile
from brewslm.store.files import read_json, sha256, write_atomic


class Changed(BaseModel):
    """A file that is known by its hash; `path` is relative to the project's folder."""

    model_config = ConfigDict(frozen=True)

    path: str
    old_sha256: str
    new_sha256: str


def whole_files(manifest: Path, expected: str) -> list[Path]:
    """Of a data manifest or a gold set that is what the tables say: itself, and each file that is what it says.

    What was changed by somebody else is not in the list, and stays found by its hash.
    """
    if not manifest.is_file() or sha256(manifest) != expected:
        return []
    try:
        named = _files(read_json(manifest))
    except ValidationError:  # an older version of the product wrote it, and this one reads no row of it
        return []
    files = [one for one in named if _holds(manifest.parent / one.path, one.sha256)]
    return [manifest, *(manifest.parent / one.path for one in files)]


def _holds(path: Path, expected: str) -> bool:
    return path.is_file() and sha256(path) == expected


def _files(written: dict[str, Any]) -> list[PreparedFile]:
    if "splits" in written:
        return list(Manifest.model_validate(written).all_files())
    return [GoldManifest.model_validate(written).file]


def rehash(manifest: Path, whole: Collection[Path], forgotten: Forgotten, note: Note) -> None:
    """Write a data manifest or a gold set's anew, where files of it were rewritten: it counts the rows that are left."""
    written = read_json(manifest)
    mine = [one for one in _files(written) if manifest.parent / one.path in whole]
    changed = {one.path: _now(manifest.parent, one) for one in mine if not _holds(manifest.parent / one.path, one.sha256)}
    if not changed:
        return
    former = sha256(manifest)
    files = _swapped(written, changed)
    said = forgotten.model_copy(update={"former_sha256": former})
    counted = _manifest(files, manifest.parent, changed) if "splits" in written else _gold(files, manifest.parent)
    made = counted.model_copy(update={"forgotten": [*counted.forgotten, said]})
    data = orjson.dumps(made.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    note(manifest, former, hashlib.sha256(data).hexdigest())
    write_atomic(manifest, data)


def _now(folder: Path, file: PreparedFile) -> PreparedFile:
    path = folder / file.path
    return PreparedFile(path=file.path, sha256=sha256(path), size_bytes=path.stat().st_size)


def _manifest(files: dict[str, Any], folder: Path, changed: Collection[str]) -> Manifest:
    """With the rows that are left in the files that were rewritten; of others its figures stand, whatever is in them."""
    was = Manifest.model_validate(files)
    splits, rows = dict(was.splits), dict(was.rows)
    for name, split in was.splits.items():
        if split.path in changed:
            lines = RowFile(folder / split.path).rows()
            left = Counter(line.get("slice") or name for line in lines if not is_forgotten(line["payload"]))
            splits[name] = split.model_copy(update={"rows": left.total()})
            rows |= {part: left[part] for part in ((name, "dev") if name == "train" else (name,)) if part in rows}
    gone = sum(was.splits[name].rows - split.rows for name, split in splits.items())
    return was.model_copy(update={"splits": splits, "rows": rows, "ledger": _ledger(was.ledger, was.ledger.rows_out - gone)})


def _gold(files: dict[str, Any], folder: Path) -> GoldManifest:
    was = GoldManifest.model_validate(files)
    left = sum(not is_forgotten(line["payload"]) for line in RowFile(folder / was.file.path).rows())
    return was.model_copy(update={"rows": left, "ledger": _ledger(was.ledger, left)})


def _ledger(was: Ledger, left: int) -> Ledger:
    """Rows that had gone on and are forgotten now count as rejected for that; the account stays closed."""
    gone = was.rows_out - left
    reason = RowReason.FORGOTTEN.value
    return was.model_copy(update={"rows_out": left, "rejected": was.rejected | {reason: was.rejected.get(reason, 0) + gone}})


def _swapped(written: dict[str, Any], changed: dict[str, PreparedFile]) -> dict[str, Any]:
    """The value with the new hash of each file in its place."""

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(one) for one in value]
        if not isinstance(value, dict):
            return value
        made = {name: walk(one) for name, one in value.items()}
        now = changed.get(made["path"]) if {"path", "sha256", "size_bytes"} <= made.keys() else None
        return made | now.model_dump() if now else made

    made: dict[str, Any] = walk(written)
    return made
