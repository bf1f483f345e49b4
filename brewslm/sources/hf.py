"""`hf:<id>`: a split of a dataset on the Hugging Face Hub."""

import hashlib
import json
import mimetypes
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from brewslm.errors import StageError
from brewslm.reasons.refusals import SourceEmpty
from brewslm.settings import settings
from brewslm.sources.base import SourceDescription
from brewslm.sources.hub import OpenSplit, library, opened, resolved, tables
from brewslm.sources.hub_problems import HubReference, parsed
from brewslm.sources.jsonl import JsonlConnector
from brewslm.sources.parquet import NotFinite, json_value, rows_of
from brewslm.store.files import new_file
from brewslm.store.locks import lock

VALUES_VERSION = 1
"""To be raised when a value is written down otherwise: what was written before is then made anew."""
SMALL_ROWS, SMALL_BYTES, SMALL_PACKED_BYTES = 1_000_000, 1024**3, 256 * 1024**2
"""A split within these is had as a whole, also for its first rows alone. The last is of its files, where the card is silent."""
DESCRIBED_ROWS = 5000
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class HfConnector(JsonlConnector):
    """Streamed once, and written down as JSON lines in the cache, by the commit that was read."""

    scheme = "hf"
    grammar = "hf:<id>[:split[:revision]][?config=<name>]"
    meaning = "A dataset on the Hugging Face Hub, or on the one of HF_ENDPOINT; the token is HF_TOKEN."

    def file(self, reference: str) -> Path:
        """The split as JSON lines.

        Raises:
            StageError(InvalidRequest): The reference can't be read.
            StageError(SourceNotFound): There is no such dataset, revision, config or split.
            StageError(SourceForbidden): It wants a token, or another one.
            StageError(SourceUnavailable): The hub can't be reached.
            StageError(SourceUnreadable): It is made by a script, or its files can't be read.
            StageError(SourceEmpty): It has no row.
        """
        asked = parsed(reference)
        if asked.is_pinned and (kept := _kept(asked, asked.revision)).exists():
            return kept
        commit = resolved(asked)
        path = _kept(asked, commit.sha)
        with lock(path.with_suffix(".lock")):
            if not path.exists():
                _write(path, asked, opened(asked, commit))
        return path

    def head_file(self, reference: str, rows: int) -> Path | None:
        """The first rows of a split that is large; None of one that is not.

        Raises:
            StageError: As `file`.
        """
        asked = parsed(reference)
        commit = resolved(asked)
        path = _kept(asked, commit.sha, rows)
        if path.exists():
            return path
        split = opened(asked, commit)
        if _is_small(split):
            return None
        with lock(path.with_suffix(".lock")):
            if not path.exists():
                _write(path, asked, split, rows)
        return path

    def describe(self, reference: str, kept: Path | None = None) -> SourceDescription:
        """From all rows of a small split, from the first 5,000 of a large one."""
        head = None if kept else self.head_file(reference, DESCRIBED_ROWS)
        described = super().describe(reference, kept or head)
        if head is None:
            return described
        note = f"the first {DESCRIBED_ROWS:,} rows of a split that has more"
        return described.model_copy(update={"sample_reach": "head", "notes": [*described.notes, note]})


def _kept(asked: HubReference, sha: str, rows: int | None = None) -> Path:
    """Where a split of a commit is written down; by what was asked, so that finding it needs no more than the commit."""
    key = hashlib.sha256(repr((VALUES_VERSION, asked.id, asked.config, asked.split, sha, rows)).encode()).hexdigest()
    name = _UNSAFE.sub("-", f"{asked.id}-{asked.split}")[:80]
    return settings().cache / "hf" / f"{name}-{sha[:12]}-{key[:16]}.jsonl"


def _is_small(split: OpenSplit) -> bool:
    if split.is_packed:
        return split.size <= SMALL_PACKED_BYTES
    return split.count is not None and split.count <= SMALL_ROWS and split.size <= SMALL_BYTES


def _write(path: Path, asked: HubReference, split: OpenSplit, rows: int | None = None) -> None:
    with new_file(path) as file:
        count = 0
        for line in islice(_lines(asked, split), rows):
            file.write(line)
            count += 1
        if count == 0:
            raise StageError(SourceEmpty(), where=asked.where, cause=f"its split {split.name} has 0 rows")


def _lines(asked: HubReference, split: OpenSplit) -> Iterator[bytes]:
    """A line a row. What JSON has not is written so that its line is read as a sentinel row."""
    features = split.rows.features or {}
    readers = {name: reader_of(feature) for name, feature in features.items()}
    for table in tables(asked, split):
        for row in rows_of(table):
            if isinstance(row, Exception):
                yield orjson.dumps(str(row), option=orjson.OPT_APPEND_NEWLINE)
                continue
            try:
                values = {name: readers.get(name, json_value)(value) for name, value in row.items()}
                yield orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)
            except NotFinite:
                yield json.dumps(row, default=str).encode() + b"\n"


def reader_of(feature: Any) -> Callable[[Any], Any]:
    """How a column's values are written: class numbers by their names, media as a path or else a data: address.

    Args:
        feature: Of `datasets`: a feature, or a dictionary of features.
    """
    datasets = library()
    match feature:
        case datasets.ClassLabel():
            return lambda value: _class_name(feature.names, value)
        case datasets.List() | datasets.LargeList():
            inner = reader_of(feature.feature)
            return lambda value: None if value is None else [inner(one) for one in value]
        case dict():
            readers = {name: reader_of(inside) for name, inside in feature.items()}
            return lambda value: None if value is None else {name: readers[name](one) for name, one in value.items()}
        case datasets.Json():
            return lambda value: orjson.loads(value) if isinstance(value, str) else json_value(value)
        case _ if hasattr(feature, "decode_example"):
            return _medium
    return json_value


def _class_name(names: list[str], value: int | None) -> Any:
    """-1 is the library's own sign for "no label"; a number beyond the names stays what it is."""
    if value is None or value == -1:
        return None
    return names[value] if 0 <= value < len(names) else value


def _medium(value: Any) -> Any:
    """An image, a sound or the like: its content where it is inside, else its path."""
    if not isinstance(value, dict) or not value.keys() <= {"bytes", "path"}:
        return json_value(value)
    content, path = value.get("bytes"), value.get("path")
    if content is None:
        return path
    kind = (mimetypes.guess_type(path)[0] if path else None) or _kind_of(content)
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"


def _kind_of(content: bytes) -> str:
    signs = {
        b"\x89PNG": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"RIFF": "audio/wav",
        b"ID3": "audio/mpeg",
        b"fLaC": "audio/flac",
    }
    return next((kind for sign, kind in signs.items() if content.startswith(sign)), "application/octet-stream")
