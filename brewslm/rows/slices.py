"""Slices: parts of the rows that are looked at by themselves, by the value of a field or the length of a text."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from brewslm.rows.manifest import PreparedRow

Value = str | int | float | bool | None
BUCKETS = (10, 25, 50, 100, 200, 400)
"""Words up to which a text belongs to a length bucket; what is longer is the last one."""


class RowSlice(BaseModel):
    """Rows whose field has a value, or a text of a length. Give `equals`, or a bound of words, or both.

    Attributes:
        field: A field of the payload; of a nested one the way to it, such as "metadata.language".
        equals: The value, or any of several.
        min_words, max_words: White-space separated words of the field's text, both ends included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slice_id: str
    field: str
    equals: Value | tuple[Value, ...] = None
    min_words: int | None = Field(default=None, ge=0)
    max_words: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not self.model_fields_set & {"equals", "min_words", "max_words"}:
            raise ValueError(f"slice {self.slice_id} needs equals, min_words or max_words")
        return self

    def holds(self, payload: dict[str, Any]) -> bool:
        """Whether a row belongs to it."""
        value = field_value(payload, self.field)
        if "equals" in self.model_fields_set:
            wanted = self.equals if isinstance(self.equals, tuple) else (self.equals,)
            if not any(value == one and isinstance(value, bool) is isinstance(one, bool) for one in wanted):
                return False
        if self.min_words is None and self.max_words is None:
            return True
        words = len(value.split()) if isinstance(value, str) else -1
        return (self.min_words or 0) <= words and (self.max_words is None or words <= self.max_words)


def field_value(payload: dict[str, Any], way: str) -> Any:
    """What stands at "field" or "field.inner" of a payload; None where nothing does."""
    value: Any = payload
    for name in way.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def length_bucket(text: str) -> str:
    """Such as "11–25 words"."""
    words, low = len(text.split()), 0
    for high in BUCKETS:
        if words <= high:
            return f"{low}–{high} words"
        low = high + 1
    return f"over {BUCKETS[-1]} words"


def rows_by(rows: Iterable[PreparedRow], field: str) -> dict[str, list[int]]:
    """Places of the rows by the value of a field as a text; a list belongs to each of its values, nothing to "(none)"."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        value = field_value(row.payload, field)
        for one in dict.fromkeys(map(str, value)) if isinstance(value, list) else ["(none)" if value is None else str(value)]:
            found[one].append(place)
    return dict(found)


def rows_by_length(rows: Iterable[PreparedRow], field: str) -> dict[str, list[int]]:
    """Places of the rows by the length bucket of a text field; rows without such a text are left out."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        value = field_value(row.payload, field)
        if isinstance(value, str):
            found[length_bucket(value)].append(place)
    return dict(found)
