"""Who a row is, and what it says."""

from hashlib import blake2b, sha256
from typing import Any

import orjson

_SOURCE_DIGITS = 16
KEY_BYTES = 16
"""Of a content hash, where rows are compared by it."""


def row_id(source_hash: str, position: int) -> str:
    """A row's identity for ever: the beginning of its source's content hash, and its place in it.

    Row 4,182 of the source that is kept as sources/3f2a9c01d4e5b677.jsonl is r3f2a9c01d4e5b677-4182.
    """
    return f"r{source_hash[:_SOURCE_DIGITS]}-{position}"


def id_parts(row_id: str) -> tuple[str, int]:
    """A row_id's source and position, as `r<source>-<position>`; of any other text the whole, and position 0."""
    source, dash, position = row_id.rpartition("-")
    return (source, int(position)) if dash and position.isascii() and position.isdigit() and len(position) < 19 else (row_id, 0)


def source_key(source: str) -> int:
    """A row_id's source part as a 64-bit number, for an index."""
    return int.from_bytes(blake2b(source.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def canonical(payload: dict[str, Any]) -> bytes:
    """What a row says, as JSON that does not hang on the order of its keys."""
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)


def content_hash(payload: dict[str, Any]) -> str:
    """Hash of what a row says: two rows with the same one are duplicates."""
    return sha256(canonical(payload)).digest()[:KEY_BYTES].hex()
