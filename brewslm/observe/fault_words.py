"""What pydantic refuses of a field, in the words of the pages."""

from collections.abc import Mapping
from typing import Any

_WORDS = {
    "missing": "It is needed.",
    "int_parsing": "It is a whole number.",
    "int_from_float": "It is a whole number.",
    "int_parsing_size": "It is a smaller number.",
    "float_parsing": "It is a number.",
    "finite_number": "It is a number.",
    "bool_parsing": "It is true or false.",
    "datetime_parsing": "It is a day and a time, such as 2026-11-30T09:00.",
    "datetime_from_date_parsing": "It is a day and a time, such as 2026-11-30T09:00.",
    "datetime_object_invalid": "It is a day and a time, such as 2026-11-30T09:00.",
    "date_parsing": "It is a day, such as 2026-11-30.",
    "date_from_datetime_parsing": "It is a day, such as 2026-11-30.",
    "date_from_datetime_inexact": "It is a day without a time, such as 2026-11-30.",
    "greater_than_equal": "It is {ge} or more.",
    "greater_than": "It is more than {gt}.",
    "less_than_equal": "It is {le} or less.",
    "less_than": "It is less than {lt}.",
    "string_too_long": "It has at most {max_length} letters.",
    "string_pattern_mismatch": "It has letters that can't stand here.",
    "literal_error": "It is {expected}.",
    "enum": "It is {expected}.",
}


def fault_words(fault: Mapping[str, Any]) -> str:
    """One of `ValidationError.errors()` as a sentence; what is not known here as pydantic says it."""
    kind, about = fault["type"], fault.get("ctx", {})
    if kind == "string_too_short" and about.get("min_length") == 1:
        return _WORDS["missing"]
    if kind in _WORDS:
        return _WORDS[kind].format_map({name: _short(value) for name, value in about.items()})
    return str(fault["msg"]).removeprefix("Value error, ")


def _short(value: Any) -> Any:
    """1.0 as 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
