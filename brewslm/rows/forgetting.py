"""What is left of a row whose text somebody had removed: who it is and where it stands, and nothing that it says.

A line of a row file keeps its length, filled up with spaces, so that no offset, index or span changes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

GONE = "[forgotten]"
SHORTEST = 12
"""Characters: a shorter text is taken out where it stands beside its row_id, and not looked for elsewhere."""
_ONE_WORD = 32
_IDENTITY = frozenset(
    ["row_id", "task_profile", "source_id", "position", "mapper", "import_run", "parent", "slice", "document", "index", "start",
     "end", "source_start", "source_end", "tokens", "verdict", "system", "method", "origin"]
)  # fmt: skip
_CODE = re.compile(r"[a-z][a-z_]{0,40}")


def is_forgotten(payload: Any) -> bool:
    """Whether a payload is that of a forgotten row: no other is empty."""
    return bool(payload == {})


def shrunk(row: dict[str, Any]) -> dict[str, Any]:
    """A row's line, or what speaks of one row, without its texts: never longer than it was."""
    return {name: value if name in _IDENTITY else _empty(name, value) for name, value in row.items()}


def _empty(name: str, value: Any) -> Any:
    if name == "reason" and isinstance(value, str) and _CODE.fullmatch(value):
        return value
    return "" if isinstance(value, str) else {} if isinstance(value, dict) else [] if isinstance(value, list) else value


def texts_of(value: Any, name: str = "") -> Iterator[str]:
    """All texts in a row, but for what it is identified by."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            if key not in _IDENTITY and key != "reason":
                yield from texts_of(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part, name)


def is_telling(text: str) -> bool:
    """Whether a text says so much that it is looked for wherever it may stand: some words, or one very long one."""
    said = text.strip()
    return len(said) >= SHORTEST and (len(said.split()) > 1 or len(said) >= _ONE_WORD) and said != GONE


@dataclass(frozen=True)
class Forgetting:
    """Which rows are forgotten, and what they said.

    Attributes:
        texts: Looked for where no row_id stands beside them.
        in_others: Look for the texts in other rows too: chunks of a document stand as contexts in them.
    """

    row_ids: frozenset[str]
    texts: tuple[str, ...]
    in_others: bool = False
    _signs: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    _spelled: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spelled = tuple(sorted({one for text in self.texts for one in _spellings(text)}, key=len, reverse=True))
        object.__setattr__(self, "_spelled", spelled)
        ids = (b'"' + one.encode() + b'"' for one in self.row_ids)
        object.__setattr__(self, "_signs", (*ids, *(one.encode("utf-8", "surrogatepass") for one in spelled)))

    def touches(self, data: bytes) -> bool:
        """Whether a row's id or one of its texts stands in it; a quick look."""
        return any(sign in data for sign in self._signs)

    def value(self, value: Any) -> Any:
        """A JSON value without what the rows say: what speaks of one of them is emptied, a text that quotes one is replaced."""
        if isinstance(value, str):
            return GONE if any(text in value for text in self._spelled) else value
        if isinstance(value, list):
            return [self.value(part) for part in value]
        if isinstance(value, dict):
            own = value.get("row_id")
            if own in self.row_ids:
                return shrunk(value)
            if isinstance(own, str) and not self.in_others:
                return value
            return {name: self.value(part) for name, part in value.items()}
        return value

    def line(self, line: bytes) -> bytes:
        """A line of a row file or of JSON lines, as long as it was."""
        if not self.touches(line):
            return line
        body = line.rstrip(b"\n")
        try:
            row = orjson.loads(body)
        except orjson.JSONDecodeError:
            return self.text(line)
        made = self.value(row)
        return line if made == row else orjson.dumps(made).ljust(len(body)) + line[len(body) :]

    def text(self, data: bytes) -> bytes:
        """Plain text, with a mark in the place of each of the rows' texts."""
        for text in self._spelled:
            data = data.replace(text.encode("utf-8", "surrogatepass"), GONE.encode())
        return data


def _spellings(text: str) -> Iterable[str]:
    """The text as it is, on one line, and as JSON writes it: without and with escapes of what is not ASCII; twice, too."""
    import json

    for one in {text, text.strip(), " ".join(text.split())}:
        yield one
        for ascii_only in (False, True):
            once = json.dumps(one, ensure_ascii=ascii_only)[1:-1]
            yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])
