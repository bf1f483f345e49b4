"""Why a filter of the stream or of the explorer finds nothing, said of the field that it lies in."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TypeVar

from brewslm.audit.filters import CallFilter, EventFilter
from brewslm.web.pieces import known_reasons

F = TypeVar("F", EventFilter, CallFilter)
NAMES = {
    "run": "No run of this project", "code": "No reason code", "actor": "Nobody here", "operation": "No call here",
    "outcome": "No call here", "request_id": "No request here",
}  # fmt: skip
"""Fields that name something, and how the sentence begins that says that there is none of the name."""


def nothing_fits(wanted: F, find: Callable[[F], Sequence[object]]) -> dict[str, str]:
    """Of a filter by which nothing was found: a name that nothing has by itself, and times between which nothing can lie.

    Args:
        find: Some of what fits a filter.
    """
    hints = {}
    for name, begin in NAMES.items():
        value = getattr(wanted, name, None)
        if value and not find(type(wanted).model_validate({"project": wanted.project, name: value})):
            hints[name] = f"{begin} is {value[:80]}{_near(value) if name == 'code' else '.'}"
    if wanted.since and wanted.until and wanted.until <= wanted.since:
        hints["until"] = "It is not later than From: nothing lies between them."
    return hints


def _near(code: str) -> str:
    near = get_close_matches(code, [each for each, one in known_reasons().items() if one.is_event], n=1)
    return f"; did you mean {near[0]}?" if near and near[0] != code else "."
