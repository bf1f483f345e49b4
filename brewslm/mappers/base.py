"""What a mapper is: a pure function from a raw row to the payload of its task profile, or to a reason."""

import ast
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter, methodcaller
from typing import Any, ClassVar, NamedTuple, cast

import orjson

from brewslm.errors import StageError, did_you_mean
from brewslm.media import MediaKind
from brewslm.reasons.refusals import ColumnMissing, InvalidRequest
from brewslm.rows import RejectedRow, RowBlock, RowReason
from brewslm.rows.model import TransformedRows

_QUOTED = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_ATOM = rf"(?:{_QUOTED}|True|False|None|-?\d+(?:\.\d+)?)"
_PYTHON_LIST = re.compile(rf"\[\s*(?:{_ATOM}\s*(?:,\s*{_ATOM}\s*)*,?)?\s*\]", re.DOTALL)
"""A flat list as Python writes it. Items without commas, as numpy writes them, would run together: they are no list."""


@dataclass(frozen=True)
class Field:
    """One thing that a mapper reads from a column.

    Attributes:
        names: What such a column is conventionally called, the best name first.
    """

    names: tuple[str, ...]
    meaning: str
    required: bool = True


class Refused(NamedTuple):
    """Why a row has no payload; the detail stays in the project."""

    reason: RowReason
    detail: str = ""


class Mapper(ABC):
    """One shape of data.

    Args:
        field_map: Field to column, and option to value. A column may be named into its JSON objects: `answers.text`.

    Raises:
        StageError(InvalidRequest): An entry is none of this mapper's fields and options, or an option's value can't be used.
        StageError(ColumnMissing): A required field has no column.
    """

    id: ClassVar[str]
    task_profile: ClassVar[str]
    meaning: ClassVar[str]
    fields: ClassVar[dict[str, Field]]
    options: ClassVar[dict[str, str]] = {}
    """Name to meaning."""
    media: ClassVar[dict[str, MediaKind]] = {}
    """Fields of the payload that name a picture or a recording: the file is checked and kept, and its facts take their place."""

    def __init__(self, field_map: Mapping[str, str]) -> None:
        for name in field_map:
            if name not in self.fields and name not in self.options:
                cause = did_you_mean(name, (*self.fields, *self.options))
                raise StageError(InvalidRequest(), f"{self.id} has no field {name}", cause=cause)
        missing = [name for name, field in self.fields.items() if field.required and not field_map.get(name)]
        if missing:
            raise StageError(ColumnMissing(), f"{self.id} needs a column for {' and '.join(missing)}")
        self.columns = {name: field_map[name] for name in self.fields if name in field_map}
        self.reads = {name: reader_of(column) for name, column in self.columns.items()}
        """Field to what finds its value in a row, for mappers whose every microsecond counts; see `value`."""
        self.set_options({name: field_map[name] for name in self.options if name in field_map})

    def set_options(self, options: dict[str, str]) -> None:
        """Read the options; a mapper that has some overrides this."""
        self.chosen = options

    def check_columns(self, known: Iterable[str]) -> None:
        """Hold the mapped columns against those of the source.

        Raises:
            StageError(ColumnMissing): One is not there.
        """
        columns = list(known)
        for name, column in self.columns.items():
            self.check_column(column, columns, f"field {name} is mapped to column {column}")

    @staticmethod
    def check_column(column: str, known: Collection[str], where: str) -> None:
        """Hold one column against those of the source: a name with dots may go on inside a column of objects.

        Raises:
            StageError(ColumnMissing): It is not there.
        """
        if column not in known and column.partition(".")[0] not in known:
            raise StageError(ColumnMissing(), where=where, cause=did_you_mean(column, known))

    def map_block(self, block: RowBlock) -> tuple[TransformedRows, list[RejectedRow]]:
        """Each row of a block in exactly one of the two, both in the order of the source."""
        outcomes = [self.map(values) for values in block.values]
        refused = [number for number, outcome in enumerate(outcomes) if outcome.__class__ is Refused]
        rejected = [_rejected(block, number, outcomes[number]) for number in refused]
        if block.sentinels:
            rejected += [RejectedRow(row.position, row.reason, row.detail, row.raw()) for row in block.sentinels]
            rejected.sort(key=attrgetter("position"))
        parents: list[Any] = block.parents or [None] * len(outcomes)
        mapped = TransformedRows(block.positions, cast(list[dict[str, Any]], outcomes), block.values, parents)
        return mapped.only([outcome.__class__ is dict for outcome in outcomes]) if refused else mapped, rejected

    @abstractmethod
    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """The payload of a row's values."""

    def value(self, values: dict[str, Any], field: str) -> Any:
        """What stands in a field's column; None where the row or the field map has no such column."""
        read = self.reads.get(field)
        return None if read is None else read(values)

    def text(self, values: dict[str, Any], field: str, missing: RowReason, empty: RowReason) -> str | Refused:
        """A field's text exactly as it is, white space and all, or why there is none."""
        found = self.value(values, field)
        return found if has_text(found) else no_text(found, missing, empty)

    def answer(self, values: dict[str, Any], field: str) -> str | Refused:
        """A field's text as an answer: the first one, where the column lists several that are right."""
        found = self.value(values, field)
        listed = as_list(found)
        if listed and all(isinstance(each, str) for each in listed):
            found = next((each for each in listed if each.strip()), None)
        if not isinstance(found, str) or not found.strip():
            return Refused(RowReason.MISSING_ANSWER, "" if found is None else f"a {type(found).__name__}")
        return found


def _rejected(block: RowBlock, number: int, outcome: Any) -> RejectedRow:
    return RejectedRow(block.positions[number], outcome.reason, outcome.detail, block.values[number])


def reader_of(column: str) -> Callable[[dict[str, Any]], Any]:
    """What finds the value of a column in a row's values, as `at` does."""
    return partial(at, column=column) if "." in column else methodcaller("get", column)


def has_text(value: Any) -> bool:
    """Whether a value is a text that is not empty nor all white space."""
    return value.__class__ is str and bool(value) and not value.isspace()


def no_text(value: Any, missing: RowReason, empty: RowReason) -> Refused:
    """Why a value without text is refused."""
    if isinstance(value, str):
        return Refused(empty)
    return Refused(missing) if value is None else Refused(missing, f"a {type(value).__name__}, not a text")


def at(values: Mapping[str, Any], column: str) -> Any:
    """What stands in a column, or inside the objects of one (`answers.text`); None where nothing does."""
    if column in values or "." not in column:
        return values.get(column)
    head, _, rest = column.partition(".")
    inside = as_object(values.get(head))
    return None if inside is None else at(inside, rest)


def as_label(value: Any) -> str | None:
    """A label as text: whole numbers without a point, booleans as in JSON; None for what is no label."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value) if math.isfinite(value) else None
    return str(value) if isinstance(value, int) else None


def as_number(value: Any) -> float | None:
    """A number, also out of a CSV cell; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_list(value: Any) -> list[Any] | None:
    """A list, also out of a CSV cell, where it is written as JSON or as Python writes it; None for what is none."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            written = value.strip()
            try:
                value = ast.literal_eval(written) if _PYTHON_LIST.fullmatch(written) else None
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                return None
    return value if isinstance(value, list) else None


def as_object(value: Any) -> dict[str, Any] | None:
    """An object, also as the JSON of a CSV cell; None for what is none."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
    return value if isinstance(value, dict) else None
