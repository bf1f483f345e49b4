"""JSON objects as rows, or the reason why one is none. Stricter than JSON where a value would be lost in silence."""

import json
import re
from collections.abc import Iterator
from itertools import accumulate, compress, count, repeat
from operator import contains, ne, or_
from typing import Any

import orjson

from brewslm.rows import RawRow, RowBlock, RowReason, SentinelRow
from brewslm.sources.base import MAX_COLUMNS, MAX_LINE_BYTES, MAX_VALUES, sentinel

MAX_DEPTH = 100
"""Rows are written again inside other objects, and orjson writes 254 levels."""
_LARGE_LINE = 256 * 1024
_SPACED_COLON = re.compile(rb'"\s+:')
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89abcdefABCDEF]")


def json_block(before: int, offset: int, lines: list[bytes]) -> RowBlock:
    """The rows of lines that follow each other; blank ones count as lines, but are no rows.

    What can be said of every line at once is; those of which it leaves a doubt are looked at one by one.

    Args:
        before: Lines before the first of these.
        offset: Where the first begins.
        lines: Without their ends.
    """
    positions = range(before + 1, before + 1 + len(lines))
    if max(map(len, lines)) > _LARGE_LINE:
        return _one_by_one(lines, positions, offset)
    values = _parsed(lines)
    # Most rows are flat: as many colons as keys say so, and that no key has a namesake (see _fault).
    widths = [len(one) if one.__class__ is dict else -1 for one in values]
    is_odd = map(ne, map(bytes.count, lines, repeat(b":")), widths)
    doubtful = list(compress(count(), map(or_, is_odd, map(contains, lines, repeat(b"[")))))
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
    width = len(values)
    if width > MAX_COLUMNS:
        return RowReason.TOO_MANY_COLUMNS, f"{width:,} keys, {MAX_COLUMNS:,} at most"
    # A key needs a colon: of as many colons as keys at the top none is left for a namesake or an object inside.
    colons = raw.count(b":")
    if colons == width and b"[" not in raw:
        return None
    if len(raw) > 2 * MAX_DEPTH and raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _is_deeper(values, MAX_DEPTH):
        return RowReason.NESTED_TOO_DEEP, f"over {MAX_DEPTH} levels"
    keys = _keys(values) if b"[" in raw or raw.count(b"{") > 1 else width
    if colons != keys and (raw.count(b'":') != keys or _SPACED_COLON.search(raw)):
        repeated = _repeated_key(raw)
        if repeated is not None:
            return RowReason.DUPLICATE_KEYS, f"a key stands twice: {repeated[:80]}"
    return None


def _keys(value: dict[str, Any] | list[Any]) -> int:
    """Keys of all objects inside. As each has a colon, as many colons as keys say that no key was lost to a namesake."""
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
