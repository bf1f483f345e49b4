"""Who a row is, and what it says."""

from hashlib import blake2b
from typing import Any

import orjson


def row_id(source_hash: str, position: int) -> str:
    """A row's identity for ever: its source's content hash and its place in it, as "r" and 20 hex digits."""
    return "r" + blake2b(f"{source_hash}:{position}".encode(), digest_size=10).hexdigest()


def content_key(payload: dict[str, Any]) -> str:
    """Hash of what a row says: two rows with the same key are duplicates."""
    return blake2b(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS), digest_size=10).hexdigest()
