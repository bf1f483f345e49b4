"""What an address asks for: its query as a typed value, and what of it can't be used; and the address of such a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, Field, ValidationError

from brewslm.errors import did_you_mean
from brewslm.observe.fault_words import fault_words

M = TypeVar("M", bound=BaseModel)
Cursor = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""The id that a page of something begins after or before; a larger one could be none of a table's."""
Ordinal = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""A number that is counted from 1: of a version, of a page."""
SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Heard(Generic[M]):
    """What an address asks for, as far as it can be asked.

    Attributes:
        value: What holds; a field that can't be used is left out of it.
        said: Every field as it was written, right or wrong.
        faults: Field → why it was left out, as a sentence.
        hints: Field → why nothing is found by it, although it can be asked.
    """

    value: M
    said: Mapping[str, str]
    faults: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)

    def without(self, name: str, fault: str) -> "Heard[M]":
        """The same but for one field, which turned out to name what there is not.

        Args:
            name: Of a field that was written.
        """
        usable = {each: value for each, value in self.said.items() if each not in self.faults and each != name}
        less = heard(type(self.value), usable)
        return replace(self, value=less.value, faults={**self.faults, **less.faults, name: fault})

    def hinting(self, hints: Mapping[str, str]) -> "Heard[M]":
        """The same, with further hints."""
        return replace(self, hints={**self.hints, **hints})

    def written(self, name: str) -> str:
        """A field as it was written, cut to what a sentence can hold."""
        said = self.said.get(name, "")
        return said if len(said) <= SHOWN_CHARACTERS else f"{said[:SHOWN_CHARACTERS]}…"


def heard(kind: type[M], query: Mapping[str, str]) -> Heard[M]:
    """The query of an address; what stands there without a value asks for nothing, and what can't be used is left out.

    A fault that is of no single field names one in its context: see `RowFilter`.
    """
    said = {name: value for name, value in query.items() if value}
    usable, faults = dict(said), dict[str, str]()
    while True:
        try:
            return Heard(kind.model_validate(usable), said, faults)
        except ValidationError as error:
            for each in error.errors():
                name = str(each["loc"][0] if each["loc"] else each["ctx"]["field"])
                faults[name] = _no_such(name, kind) if each["type"] == "extra_forbidden" else fault_words(each)
            left = {name: value for name, value in usable.items() if name not in faults}
            if left == usable:  # something is missing that no address has to name: a fault of the page
                raise
            usable = left


def _no_such(name: str, kind: type[BaseModel]) -> str:
    known = did_you_mean(name, (one.alias or each for each, one in kind.model_fields.items()))
    return f"There is no such filter; {known}."


def fields_of(value: BaseModel, **changes: Any) -> dict[str, str]:
    """What it asks for, as texts; a change to None takes a field away."""
    kept = value.model_dump(mode="json", exclude_none=True) | changes
    return {name: str(one) for name, one in kept.items() if one is not None}


def usual_left_out(value: BaseModel) -> dict[str, str]:
    """As `fields_of`, without what is so anyway."""
    return {name: str(one) for name, one in value.model_dump(mode="json", exclude_none=True, exclude_defaults=True).items()}


def address(path: str, fields: Mapping[str, str]) -> str:
    """The path with the fields as its query."""
    return f"{path}?{urlencode(fields)}" if fields else path
