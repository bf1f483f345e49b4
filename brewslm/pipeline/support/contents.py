"""What goes into a bundle, as far as there is room, and what had to stay out."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from brewslm.store.files import write_atomic

ROW_TEXT = "[row text]"
_LONGEST_TEXT, _LONGEST_LIST = 2000, 200
_OF_ROWS = frozenset(
    ["answer", "answers", "chosen", "completion", "content", "context", "contexts", "expected", "exemplars", "fields",
     "former", "head", "judged", "messages", "payload", "payloads", "prompt", "prompts", "question", "quote", "raw",
     "rejected_rows", "response", "row", "rows", "shots", "source_text", "spans", "target_text", "text", "texts", "transcript"]
)  # fmt: skip


class LeftOut(BaseModel):
    """What is not in the bundle, and why; `size_bytes` where it is known."""

    model_config = ConfigDict(frozen=True)

    what: str
    why: str
    size_bytes: int | None = None


class Part(BaseModel):
    """A file of the bundle, which stands ready in the run's folder."""

    model_config = ConfigDict(frozen=True)

    name: str
    path: Path
    size_bytes: int


class Contents:
    """Parts, written down one by one while there is room.

    Args:
        folder: Of the run's own.
        room: Bytes, unpacked, that all parts may have together.
    """

    def __init__(self, folder: Path, room: int) -> None:
        self._folder, self.room = folder, room
        self.parts: list[Part] = []
        self.left_out: list[LeftOut] = []

    def add(self, name: str, data: bytes) -> bool:
        """Put a file in, or name it among what was left out; whether it is in."""
        if len(data) > self.room:
            self.left_out.append(LeftOut(what=name, why="there was no room for it", size_bytes=len(data)))
            return False
        path = self._folder / name
        write_atomic(path, data)
        self.room -= len(data)
        self.parts.append(Part(name=name, path=path, size_bytes=len(data)))
        return True

    def add_json(self, name: str, value: Any) -> bool:
        """A value, indented for a reader."""
        return self.add(name, dumped(value, orjson.OPT_INDENT_2) + b"\n")

    def add_lines(self, name: str, newest_first: Iterable[Any], share: float, total: int) -> list[Any]:
        """As many values as take no more than a share of the room, as JSON lines, oldest first; returns them.

        Args:
            total: How many there are: what is left out is counted.
        """
        kept: list[Any] = []
        lines: list[bytes] = []
        room = int(self.room * share)
        for value in newest_first:
            line = dumped(value) + b"\n"
            if len(line) > room:
                break
            room -= len(line)
            kept.append(value)
            lines.append(line)
        if len(kept) < total:
            why = f"the {total - len(kept):,} oldest of {total:,} had no room"
            self.left_out.append(LeftOut(what=name, why=why))
        self.add(name, b"".join(lines[::-1]))
        return kept[::-1]


def dumped(value: Any, option: int = 0) -> bytes:
    """As JSON, dates and paths as texts."""
    return orjson.dumps(value, default=str, option=option | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def without_rows(value: Any, name: str = "") -> Any:
    """A request or job without what may be a row's text; long texts and lists are cut, and say so."""
    if name in _OF_ROWS and isinstance(value, str | dict | list | tuple):
        return ROW_TEXT
    if isinstance(value, dict):
        return {key: without_rows(part, str(key)) for key, part in value.items()}
    if isinstance(value, list | tuple):
        kept = [without_rows(part) for part in value[:_LONGEST_LIST]]
        return [*kept, f"[{len(value) - _LONGEST_LIST:,} more]"] if len(value) > _LONGEST_LIST else kept
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return f"[text of {len(value):,} characters]"
    return value


def figures(result: dict[str, Any] | None) -> dict[str, Any]:
    """Of a run's result its counts alone: a name or a label in it may be somebody's data."""
    found = {name: one for name, one in (result or {}).items() if isinstance(one, bool | int | float)}
    ledger = (result or {}).get("ledger")
    return found | ({"ledger": ledger} if isinstance(ledger, dict) else {})


def columns(row: Any, names: Sequence[str]) -> dict[str, Any]:
    """Some columns of a table's row."""
    return {name: getattr(row, name) for name in names}
