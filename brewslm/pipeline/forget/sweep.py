"""One file after the other, each whole or as it was: what a row says is taken out."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from brewslm.rows import SentinelRow
from brewslm.rows.forgetting import Forgetting
from brewslm.sources import CONNECTORS
from brewslm.store.files import new_file, sha256

_MOST_AT_ONCE = 256 * 1024**2


def lines_touched(path: Path, forgetting: Forgetting) -> int:
    """How many lines of a file would change; 1 of a file that is no lines."""
    if path.suffix == ".jsonl":
        with path.open("rb") as file:
            return sum(forgetting.line(line) != line for line in file)
    return int(swept(path, forgetting) is not None)


Note = Callable[[Path, str, str], None]
"""Gets a file, its hash before and its hash after; just before the new file takes the old one's place."""


def sweep(path: Path, forgetting: Forgetting, note: Note) -> bool:
    """Rewrite a file without the rows' texts, keeping its mode; whether anything changed."""
    lines = path.suffix == ".jsonl"
    made = None if lines else swept(path, forgetting)
    if made is None and not (lines and lines_touched(path, forgetting)):
        return False
    old, mode = sha256(path), path.stat().st_mode
    with path.open("rb") as file, new_file(path) as new:
        os.fchmod(new.fileno(), mode)
        digest = hashlib.sha256()
        for line in map(forgetting.line, file) if made is None else (made,):
            digest.update(line)
            new.write(line)
        note(path, old, digest.hexdigest())
    return True


def swept(path: Path, forgetting: Forgetting) -> bytes | None:
    """The new content of a JSON or text file; None where nothing is in it."""
    if path.stat().st_size > _MOST_AT_ONCE:
        return None
    data = path.read_bytes()
    if not forgetting.touches(data):
        return None
    value = _json(path, data)
    if value is None:
        made = forgetting.text(data)
        return made if made != data else None
    cleaned = forgetting.value(value)
    return None if cleaned == value else orjson.dumps(cleaned, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _json(path: Path, data: bytes) -> Any:
    try:
        return orjson.loads(data) if path.suffix == ".json" else None
    except orjson.JSONDecodeError:  # a torn file is searched as a text
        return None


def empty_lines(path: Path, scheme: str, positions: Sequence[int], target: Path) -> None:
    """Write a kept source without some of its rows: each is a row without a value, so that all others stay where they are.

    A source of JSON lines stays one, byte by byte. Any other is written as JSON lines, for a workbook or a Parquet file can't be
    emptied in one place; what could not be read as a row stands there by its head, which is no JSON either.
    """
    gone, connector = frozenset(positions), CONNECTORS[scheme]
    with new_file(target) as made:
        if connector.extension == "jsonl":
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    body = line.rstrip(b"\r\n")
                    made.write(b"{}".ljust(len(body)) + line[len(body) :] if number in gone else line)
            return
        at = 1
        for row in connector.rows(path):
            made.write(b"\n" * (row.position - at))
            at = row.position + 1
            if row.position in gone:
                made.write(b"{}\n")
            elif isinstance(row, SentinelRow):
                made.write(b"~" + row.head.encode("utf-8", "replace").replace(b"\n", b" ") + b"\n")
            else:
                made.write(orjson.dumps(row.values, option=orjson.OPT_APPEND_NEWLINE))
