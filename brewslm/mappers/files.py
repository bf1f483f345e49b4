"""Columns that name a file: a path or an address, or the object that holds one."""

from typing import Any

from brewslm.mappers.base import Refused, as_object
from brewslm.rows import RowReason


def file_named(value: Any, missing: RowReason) -> str | Refused:
    """The path or address in a cell. An object has it under `path`, `url` or `file_name`; bytes alone can't be kept in a row."""
    held = as_object(value)
    if held is not None:
        value = next((held[key] for key in ("path", "url", "file_name") if isinstance(held.get(key), str)), None)
        if value is None:
            return Refused(missing, "an object without path, url or file_name")
    if not isinstance(value, str):
        return Refused(missing, "" if value is None else f"a {type(value).__name__}, not a path")
    return value if value.strip() else Refused(missing)
