"""One JSON object as a row, or the reason why it is none. Stricter than JSON where a value would be lost in silence."""

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from brewslm.rows import RawRow, RowReason, SentinelRow, row_id
from brewslm.sources.base import MAX_COLUMNS, MAX_VALUES, sentinel

MAX_DEPTH = 100
"""Rows are written again inside other objects, and orjson writes 254 levels."""
_LARGE_LINE = 256 * 1024
_SPACED_COLON = re.compile(rb'"\s+:')
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89abcdefABCDEF]")


def json_row(content_hash: str, position: int, offset: int, raw: bytes) -> RawRow | SentinelRow:
    """A line of JSONL, or an element of an array.

    Args:
        raw: Up to 16 MB, without a byte order mark.
    """
    if len(raw) > _LARGE_LINE and raw.count(b",") + raw.count(b"[") + raw.count(b"{") > MAX_VALUES:
        return sentinel(content_hash, position, offset, RowReason.TOO_MANY_VALUES, raw, f"over {MAX_VALUES:,} values")
    try:
        values = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return sentinel(content_hash, position, offset, _why_invalid(raw, error), raw, str(error))
    if not isinstance(values, dict):
        detail = f"a {type(values).__name__}, not an object"
        return sentinel(content_hash, position, offset, RowReason.NOT_AN_OBJECT, raw, detail)
    fault = _fault(raw, values)
    if fault is not None:
        return sentinel(content_hash, position, offset, fault[0], raw, fault[1])
    return RawRow(row_id(content_hash, position), position, values)


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
    if len(values) > MAX_COLUMNS:
        return RowReason.TOO_MANY_COLUMNS, f"{len(values):,} keys, {MAX_COLUMNS:,} at most"
    if len(raw) > 2 * MAX_DEPTH and raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _is_deeper(values, MAX_DEPTH):
        return RowReason.NESTED_TOO_DEEP, f"over {MAX_DEPTH} levels"
    keys = _keys(values)
    if raw.count(b":") != keys and (raw.count(b'":') != keys or _SPACED_COLON.search(raw)):
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
