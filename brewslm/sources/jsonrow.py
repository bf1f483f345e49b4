"""JSON objects as rows, or the reason why one is none. Stricter than JSON where a value would be lost in silence."""

import json
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import orjson

from brewslm.rows import RawRow, RowBlock, RowReason, SentinelRow
from brewslm.sources.base import MAX_COLUMNS, MAX_LINE_BYTES, MAX_VALUES, sentinel

MAX_DEPTH = 100
"""Rows are written again inside other objects, and orjson writes 254 levels."""
_LARGE_LINE = 256 * 1024
_PLAIN_BYTES = 4 * _LARGE_LINE
"""Of lines that are parsed in one go: too few for `MAX_VALUES` on one of them."""
_SPACED_COLON = re.compile(rb'"\s+:')
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89abcdefABCDEF]")


def json_block(before: int, offset: int, data: bytes) -> RowBlock:
    """The rows of lines that follow each other; blank ones count as lines, but are no rows.

    What can be said of all lines at once is; those of which it leaves a doubt are looked at one by one.

    Args:
        before: Lines before the first of these.
        offset: Where the first begins.
        data: The lines, without the end of the last.
    """
    if (rows := _plain(data)) is not None:
        return RowBlock(list(range(before + 1, before + 1 + len(rows))), rows)
    lines = data.split(b"\n")
    positions = range(before + 1, before + 1 + len(lines))
    if max(map(len, lines)) > _LARGE_LINE:
        return _one_by_one(lines, positions, offset)
    values = _parsed(lines)
    doubtful = _doubtful(data, values)
    bad = {number for number in doubtful if values[number].__class__ is not dict or _fault(lines[number], values[number])}
    if not bad:
        return RowBlock(list(positions), values)
    good = [number for number in range(len(lines)) if number not in bad]
    starts = list(accumulate(lines, lambda at, line: at + len(line) + 1, initial=offset))
    looked_at = [json_row(positions[number], starts[number], lines[number]) for number in sorted(bad) if lines[number].strip()]
    return RowBlock(
        [positions[number] for number in good],
        [values[number] for number in good],
        [row for row in looked_at if isinstance(row, SentinelRow)],
    )


def _plain(data: bytes) -> list[dict[str, Any]] | None:
    """The rows of lines that are one flat object each and lost no key, parsed in one go; None where one of them may be otherwise.

    Each line begins with its only brace. If there are as many objects as lines when commas stand between them, each brace opened
    one, and the comma before it came after the end of the one before: no object goes beyond its line. A key is followed by `":`
    where no white space is before a colon: if there are as many of those as keys in all, then also in each line.
    """
    import numpy as np

    text = np.frombuffer(data, np.uint8)
    starts, ends = np.flatnonzero(text == ord("{")), np.flatnonzero(text == ord("\n"))
    if len(data) > _PLAIN_BYTES or not data.startswith(b"{") or not np.array_equal(starts[1:], ends + 1):
        return None
    lists, colons = np.flatnonzero(text == ord("[")), np.flatnonzero(text == ord(":"))
    before = text[colons - 1]
    if np.diff(np.searchsorted(lists, starts), append=len(lists)).max() > MAX_DEPTH or (before <= ord(" ")).any():
        return None
    try:
        rows = orjson.loads(b"[%b]" % data.replace(b"\n", b","))
    except orjson.JSONDecodeError:
        return None
    if len(rows) != len(starts) or set(map(type, rows)) != {dict}:
        return None
    keys = list(map(len, rows))
    return rows if sum(keys) == np.count_nonzero(before == ord('"')) and max(keys) <= MAX_COLUMNS else None


def _doubtful(data: bytes, values: list[Any]) -> list[int]:
    """Which lines are not at a glance one flat object that lost no key: as many `":` as keys, and no space before a colon."""
    import numpy as np

    text = np.frombuffer(data, np.uint8)
    ends = np.append(np.flatnonzero(text == ord("\n")), len(text))

    def in_each_line(places: Any) -> Any:
        return np.diff(np.searchsorted(places, ends), prepend=0)

    colons = np.flatnonzero(text == ord(":"))
    before = text[colons - 1]
    widths = np.fromiter((len(one) if one.__class__ is dict else -1 for one in values), np.int64, len(values))
    doubtful = (in_each_line(colons[before == ord('"')]) != widths) | (widths > MAX_COLUMNS)
    doubtful |= in_each_line(np.flatnonzero(text == ord("{"))) != 1
    doubtful |= in_each_line(np.flatnonzero(text == ord("["))) > MAX_DEPTH
    doubtful |= in_each_line(colons[before <= ord(" ")]) > 0
    return np.flatnonzero(doubtful).tolist()


def _one_by_one(lines: list[bytes], positions: range, offset: int) -> RowBlock:
    """Where a line is so large that what it holds is counted before it is parsed."""
    block = RowBlock()
    for position, line in zip(positions, lines, strict=True):
        if line.strip():
            block.add(json_row(position, offset, line))
        offset += len(line) + 1
    return block


def _parsed(lines: list[bytes]) -> list[Any]:
    """Each line's value; None where it has none."""
    values: list[Any] = []
    rest = map(orjson.loads, lines)
    while len(values) < len(lines):
        try:
            values.extend(rest)  # what came before a broken line stays in
        except orjson.JSONDecodeError:
            values.append(None)
    return values


def json_row(position: int, offset: int, raw: bytes) -> RawRow | SentinelRow:
    """A line of JSONL, or an element of an array.

    Args:
        raw: Without a byte order mark; beyond 16 MB no more than its beginning.
    """
    if len(raw) > MAX_LINE_BYTES:
        return sentinel(position, offset, RowReason.LINE_TOO_LONG, raw, f"over {MAX_LINE_BYTES} bytes")
    if len(raw) > _LARGE_LINE and raw.count(b",") + raw.count(b"[") + raw.count(b"{") > MAX_VALUES:
        return sentinel(position, offset, RowReason.TOO_MANY_VALUES, raw, f"over {MAX_VALUES:,} values")
    try:
        values = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return sentinel(position, offset, _why_invalid(raw, error), raw, str(error))
    if not isinstance(values, dict):
        detail = f"a {type(values).__name__}, not an object"
        return sentinel(position, offset, RowReason.NOT_AN_OBJECT, raw, detail)
    fault = _fault(raw, values)
    if fault is not None:
        return sentinel(position, offset, fault[0], raw, fault[1])
    return RawRow(position, values)


def _why_invalid(raw: bytes, error: orjson.JSONDecodeError) -> RowReason:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return RowReason.BAD_ENCODING
    if "depth limit" in error.msg:
        return RowReason.NESTED_TOO_DEEP
    if text.startswith(("NaN", "Infinity"), error.pos) or "infinity" in error.msg:
        return RowReason.NON_FINITE_NUMBER
    if _SURROGATE_ESCAPE.match(text, error.pos):
        return RowReason.LONE_SURROGATE
    if "\x00" in text:
        return RowReason.NUL_CHARACTER
    return RowReason.INVALID_JSON


def _fault(raw: bytes, values: dict[str, Any]) -> tuple[RowReason, str] | None:
    """What is wrong with an object that was parsed; measured on its bytes first, for most rows have no fault."""
    keys = len(values)
    if keys > MAX_COLUMNS:
        return RowReason.TOO_MANY_COLUMNS, f"{keys:,} keys, {MAX_COLUMNS:,} at most"
    braces = raw.count(b"{")
    if braces > 1 or raw.count(b"[") > MAX_DEPTH:
        if braces + raw.count(b"[") > MAX_DEPTH and _is_deeper(values, MAX_DEPTH):
            return RowReason.NESTED_TOO_DEEP, f"over {MAX_DEPTH} levels"
        keys = _keys(values)
    # Each key is followed by a colon: of as many colons as keys none is left for a key that was lost to its namesake.
    if (raw.count(b'":') == keys and not _is_spaced(raw)) or raw.count(b":") == keys:
        return None
    repeated = _repeated_key(raw)
    return None if repeated is None else (RowReason.DUPLICATE_KEYS, f"a key stands twice: {repeated[:80]}")


def _is_spaced(raw: bytes) -> bool:
    """Whether white space may stand between a key and its colon."""
    before_a_colon = b" :" in raw or b"\t:" in raw or b"\r:" in raw or b"\n:" in raw
    return before_a_colon and _SPACED_COLON.search(raw) is not None


def _keys(value: dict[str, Any] | list[Any]) -> int:
    """Keys of all objects inside."""
    own, inside = (len(value), value.values()) if isinstance(value, dict) else (0, value)
    return own + sum([_keys(one) for one in inside if one.__class__ is dict or one.__class__ is list])


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [inside for one in level for inside in _containers(one)]
        if not level:
            return False
    return True


def _containers(value: dict[str, Any] | list[Any]) -> Iterator[Any]:
    items = value.values() if isinstance(value, dict) else value
    return (one for one in items if isinstance(one, dict | list))


class _Repeated(Exception):
    """Carries the key."""


def _repeated_key(raw: bytes) -> str | None:
    try:
        # Numbers are not looked at: Python refuses to read an integer of over 4,300 digits.
        json.loads(raw, object_pairs_hook=_unique, parse_int=len, parse_float=len)
    except _Repeated as found:
        return str(found)
    return None


def _unique(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _Repeated(key)
        seen.add(key)
