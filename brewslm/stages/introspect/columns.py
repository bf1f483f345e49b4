"""What kind of thing stands in a column, judged from a sample of its values."""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from statistics import mean
from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.mappers.base import as_label, as_list, as_number, as_object
from brewslm.mappers.bio_to_spans import BIO_TAG, is_words
from brewslm.mappers.messages import is_message

LISTS = "lists"
"""The note of a column of lists that are neither texts nor objects."""
FILE_LISTS = "lists of images or recordings"
"""The note of a column of lists that name such files."""
_SAMPLE_CHARACTERS = 120
_PATH = re.compile(
    r"^(?:[a-z]+://\S+|(?:[~.]{0,2}/|[A-Za-z]:\\)\S+|\S+\.(?:png|jpe?g|gif|wav|mp3|flac|pdf|txt|csv|jsonl?))$", re.I
)
_IMAGE = re.compile(r"\S.*\.(?:png|jpe?g|gif|webp|bmp|tiff?)(?:[?#]\S*)?$", re.I)
_AUDIO = re.compile(r"\S.*\.(?:wav|mp3|flac|ogg|opus|m4a|webm)(?:[?#]\S*)?$", re.I)
_DATE = re.compile(
    r"^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:[T ]\d{1,2}:\d{2}\S*(?: ?[AP]M)?)?$", re.I
)
_FILE_CHARACTERS = 400
_ENOUGH = 0.8
_BOOLEANS = frozenset({"true", "false", "yes", "no"})
_MOST_LABELS, _FEW_NUMBERS = 200, 20
_REPEATED = 5
_LABEL_CHARACTERS = 64


class ColumnType(StrEnum):
    """The kinds of column that mappings speak of."""

    TEXT_LIKE = "text_like"
    CATEGORICAL = "categorical"
    BIO_TAG_LIST = "bio_tag_list"
    ENTITY_LIST_JSON = "entity_list_json"
    CHAT_MESSAGES = "chat_messages"
    TOKENS_LIST = "tokens_list"
    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    PATH_LIKE = "path_like"
    CLASS_ID = "class_id"
    IMAGE_PATH = "image_path"
    AUDIO_PATH = "audio_path"
    NESTED_JSON = "nested_json"
    UNKNOWN = "unknown"


class ColumnSignature(BaseModel):
    """One column.

    Attributes:
        confidence: How sure the type is, 0 to 1.
        unique_values: Different values among those sampled.
        sample_value: The first value that is not empty, cut to 120 characters.
        notes: What was measured.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    column_type: ColumnType
    confidence: float
    unique_values: int
    sample_value: str | None
    notes: list[str] = []


Verdict = tuple[ColumnType, float, str]


def signature_of(name: str, values: Sequence[Any]) -> ColumnSignature:
    """The signature of a column, from the values it has in some rows (None where a row lacks it)."""
    present = [value for value in values if value is not None and not (isinstance(value, str) and not value.strip())]
    if not present:
        return ColumnSignature(
            name=name, column_type=ColumnType.UNKNOWN, confidence=0.0, unique_values=0, sample_value=None, notes=["always empty"]
        )
    kind, confidence, note = next(verdict for rule in _RULES if (verdict := rule(present)) is not None)
    empty = len(values) - len(present)
    return ColumnSignature(
        name=name,
        column_type=kind,
        confidence=confidence,
        unique_values=_unique(present),
        sample_value=str(present[0])[:_SAMPLE_CHARACTERS],
        notes=[note, *([f"empty in {empty} of {len(values)} rows"] if empty else [])],
    )


def _unique(values: Sequence[Any]) -> int:
    return len({str(value) for value in values})


def _lists(values: Sequence[Any]) -> Verdict | None:
    lists = [as_list(value) for value in values]
    if None in lists:
        return None
    items = [item for each in lists for item in each or ()]
    if items and all(isinstance(item, str) for item in items):
        if all(BIO_TAG.match(item) for item in items):
            return ColumnType.BIO_TAG_LIST, 0.98, "lists of BIO tags"
        if all(_IMAGE.match(item) or _AUDIO.match(item) for item in items):
            return ColumnType.UNKNOWN, 0.85, FILE_LISTS
        return ColumnType.TOKENS_LIST, 0.90, "lists of texts"
    if items and all(isinstance(item, dict) for item in items):
        if all(map(is_message, items)):
            return ColumnType.CHAT_MESSAGES, 0.95, "lists of messages"
        if all({"type", "start", "end"} <= item.keys() for item in items):
            return ColumnType.ENTITY_LIST_JSON, 0.95, "lists of entities"
        return ColumnType.NESTED_JSON, 0.90, "lists of objects"
    return ColumnType.UNKNOWN, 0.5, LISTS


def _tags_between_spaces(values: Sequence[Any]) -> Verdict | None:
    words = [value.split() if is_words(value) else [] for value in values]
    if not all(words) or not all(BIO_TAG.match(word) for each in words for word in each):
        return None
    if all(word == "O" for each in words for word in each):
        return None
    return ColumnType.BIO_TAG_LIST, 0.95, "BIO tags between spaces"


def _media(values: Sequence[Any]) -> Verdict | None:
    named = [file_name(value) for value in values]
    for pattern, kind, what in ((_IMAGE, ColumnType.IMAGE_PATH, "images"), (_AUDIO, ColumnType.AUDIO_PATH, "recordings")):
        held = "data:image/" if pattern is _IMAGE else "data:audio/"
        matching = sum(
            name.startswith(held) or (len(name) <= _FILE_CHARACTERS and bool(pattern.match(name))) for name in named
        )  # fmt: skip
        if matching >= _ENOUGH * len(values):
            return kind, 0.95, f"{matching} of {len(values)} name {what}"
    return None


def file_name(value: Any) -> str:
    """The path in a cell, or in its object; "" for none. A line break is no part of a path."""
    held = as_object(value)
    if held is not None:
        value = next((held[key] for key in ("path", "url", "file_name") if isinstance(held.get(key), str)), None)
    return value.strip() if isinstance(value, str) and "\n" not in value.strip() else ""


def _objects(values: Sequence[Any]) -> Verdict | None:
    if all(as_object(value) is not None for value in values):
        return ColumnType.NESTED_JSON, 0.95, "objects"
    return None


def _dates(values: Sequence[Any]) -> Verdict | None:
    matching = sum(isinstance(value, str) and bool(_DATE.match(value.strip())) for value in values)
    return (ColumnType.UNKNOWN, 0.85, "dates") if matching >= _ENOUGH * len(values) else None


def _booleans(values: Sequence[Any]) -> Verdict | None:
    if all(isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in _BOOLEANS) for value in values):
        return ColumnType.BOOLEAN, 0.90, "true or false"
    return None


def _numbers(values: Sequence[Any]) -> Verdict | None:
    numbers = [as_number(value) for value in values]
    whole = [number for number in numbers if number is not None and number.is_integer()]
    if None in numbers:
        return None
    different = _unique(values)
    note = f"{different} different numbers in {len(values)}: they may be classes"
    if len(whole) == len(values) and different < len(values) and (different <= _FEW_NUMBERS or _are_counted(whole, different)):
        return ColumnType.CLASS_ID, 0.80 if 2 * different <= len(values) else 0.60, note
    if different <= _FEW_NUMBERS and _REPEATED * different <= len(values):  # ratings in half points
        return ColumnType.CLASS_ID, 0.60, note
    return ColumnType.NUMERIC, 0.85, "numbers"


def _are_counted(numbers: Sequence[float], different: int) -> bool:
    """Whether many whole numbers are counted from 0 or 1, nearly without gaps, and repeat: ids of classes do, measures do not."""
    smallest, largest = min(numbers), max(numbers)
    return smallest in (-1, 0, 1) and largest <= 2 * different and 2 * different <= len(numbers) and different <= _MOST_LABELS


def _paths(values: Sequence[Any]) -> Verdict | None:
    matching = sum(isinstance(value, str) and bool(_PATH.match(value.strip())) for value in values)
    if matching >= _ENOUGH * len(values):
        return ColumnType.PATH_LIKE, 0.85, f"{matching} of {len(values)} are paths or addresses"
    return None


def _categories(values: Sequence[Any]) -> Verdict | None:
    labels = [as_label(value) for value in values]
    if any(label is None or len(label) > _LABEL_CHARACTERS or "\n" in label for label in labels):
        return None
    known = [label for label in labels if label is not None]
    different, most_words = len(set(known)), max(len(label.split()) for label in known)
    if different > _MOST_LABELS or most_words > 5:
        return None
    note = f"{different} different values in {len(values)}"
    if 2 * different <= len(values):
        return ColumnType.CATEGORICAL, 0.90, note
    if most_words == 1 and different < len(values):
        return ColumnType.CATEGORICAL, 0.75, note
    if most_words == 1 and len(values) <= 5:
        return ColumnType.CATEGORICAL, 0.60, f"{note}: too few to tell"
    return None


def _texts(values: Sequence[Any]) -> Verdict | None:
    if not all(isinstance(value, str) for value in values):
        return None
    length = mean(len(value) for value in values)
    spaced = sum(" " in value.strip() for value in values) / len(values)
    note = f"{length:.0f} characters on average"
    if spaced < 0.5:
        return ColumnType.TEXT_LIKE, 0.50, f"{note}, mostly single words"
    return ColumnType.TEXT_LIKE, 0.85 if length > 30 else 0.80 if length > 20 else 0.70, note


def _anything(values: Sequence[Any]) -> Verdict:
    return ColumnType.UNKNOWN, 0.3, f"mixed: {', '.join(sorted({type(value).__name__ for value in values}))}"


_RULES: tuple[Callable[[Sequence[Any]], Verdict | None], ...] = (
    _lists,
    _tags_between_spaces,
    _media,
    _objects,
    _booleans,
    _numbers,
    _dates,
    _paths,
    _categories,
    _texts,
    _anything,
)
