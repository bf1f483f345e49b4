"""What an address asks for: its query as a typed value; and the address of such a value."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from brewslm.errors import StageError
from brewslm.observe.fault_words import fault_words
from brewslm.reasons.refusals import InvalidRequest

M = TypeVar("M", bound=BaseModel)


def asked(kind: type[M], query: Mapping[str, str]) -> M:
    """The query of an address; what stands there without a value asks for nothing.

    Raises:
        StageError(InvalidRequest): A name or a value is not one that can be asked for.
    """
    try:
        return kind.model_validate({name: value for name, value in query.items() if value})
    except ValidationError as error:
        said = "; ".join(f"{each['loc'][0]}: {fault_words(each)}" for each in error.errors())
        raise StageError(
            InvalidRequest(), "The page can't be shown so", cause=said, next_step="Open it without filters, and choose some."
        ) from error


def fields_of(value: BaseModel, **changes: Any) -> dict[str, str]:
    """What it asks for, as texts; a change to None takes a field away."""
    kept = value.model_dump(mode="json", exclude_none=True) | changes
    return {name: str(one) for name, one in kept.items() if one is not None}


def address(path: str, fields: Mapping[str, str]) -> str:
    """The path with the fields as its query."""
    return f"{path}?{urlencode(fields)}" if fields else path
