"""The sample that hypotheses are judged by: its columns under their plain names, and what their cells hold."""

import re
from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Any

from brewslm.mappers import Field
from brewslm.mappers.base import as_label, at
from brewslm.mappers.label_to_classification import LabelToClassification
from brewslm.stages.introspect.columns import FILE_LISTS, LISTS, ColumnSignature, ColumnType

_META = re.compile(
    r"^(?:(?:.*_)?(?:id|ids|idx|index|uuid|url|uri|link|split|fold|date|time|timestamp|created|updated|licen[cs]e|confidence|version)"
    r"|(?:created|updated)_.*|row|no|num|number|source|language_code|annotator|worker|user"
    r"|(?:.*_)?(?:hash|hexsha|sha|md5|path|dump|count|length|size|locale|split_type))$"
)
_TITLE = re.compile(r"^(?:.*_)?(?:title|headline|subject|name|heading|keywords?|tags?)$")
_DESCRIBING = frozenset({"meta", "metadata", "licenses"})
"""Lists and objects that describe a row."""
_PROSE_WORDS = 4
_COMPOSED = 0.8
_SHORTEST_VALUE, _VALUE_WORDS = 3, 8
_FOUND = 0.8
_TEXTS = frozenset({ColumnType.TEXT_LIKE})
_RICH = frozenset(
    {
        ColumnType.CHAT_MESSAGES,
        ColumnType.BIO_TAG_LIST,
        ColumnType.TOKENS_LIST,
        ColumnType.ENTITY_LIST_JSON,
        ColumnType.NESTED_JSON,
        ColumnType.IMAGE_PATH,
        ColumnType.AUDIO_PATH,
    }
)
LABELS = LabelToClassification.fields["label"].names
"""What a class is conventionally called."""


def plain(name: str) -> str:
    """A column's name as it is compared: lower case, words parted by underscores."""
    return re.sub(r"[\s\-.]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())).lower()


class Sample:
    """The signatures and the rows.

    Attributes:
        signatures: Without texts that were put together from others.
        prose: Columns of texts with four words or more on average, but for titles and what only describes the row.
        labels: Columns whose values may be classes, but for what only describes the row, or is the same in all rows.
    """

    def __init__(self, signatures: Sequence[ColumnSignature], rows: Sequence[dict[str, Any]]) -> None:
        self.signatures, self.rows = list(signatures), rows
        self.names = {one.name for one in signatures}
        texts = [one for one in signatures if is_text(one)]
        prose = [one for one in texts if not _META.match(plain(one.name)) and self.words(one) >= _PROSE_WORDS]
        composed = [one for one in prose if self._is_composed(one, prose)]
        self.signatures = [one for one in signatures if one not in composed]
        self.prose = [one for one in prose if one not in composed]
        self.labels = [
            one
            for one in self.of_type(ColumnType.CATEGORICAL, ColumnType.CLASS_ID, ColumnType.BOOLEAN)
            if not _META.match(plain(one.name)) and (one.unique_values > 1 or plain(one.name) in LABELS)
        ]

    def _is_composed(self, signature: ColumnSignature, prose: Sequence[ColumnSignature]) -> bool:
        """Whether a text was put together from two others or more, as the prompt of a template is: it says nothing of its own."""
        others = [one.name for one in prose if one.name != signature.name]
        inside = [name for name in others if self._share_inside(name, signature.name) >= _COMPOSED]
        return len(inside) > 1

    def _share_inside(self, part: str, whole: str) -> float:
        """In what share of the rows that have both a column's text is a part of another's, and not all of it."""
        pairs = [(row.get(part), row.get(whole)) for row in self.rows]
        texts = [
            (left.strip(), right) for left, right in pairs if isinstance(left, str) and isinstance(right, str) and left.strip()
        ]
        return sum(left in right and len(left) < len(right.strip()) for left, right in texts) / max(1, len(texts))

    def of_type(self, *types: ColumnType) -> list[ColumnSignature]:
        """The columns of some types."""
        return [one for one in self.signatures if one.column_type in types]

    def lists_and_files(self) -> list[ColumnSignature]:
        """Columns of lists, objects, images and recordings: what a mapping of texts alone would leave out."""
        rich = [one for one in self.signatures if one.column_type in _RICH or one.notes[0] in (LISTS, FILE_LISTS)]
        return [one for one in rich if plain(one.name) not in _DESCRIBING and not _META.match(plain(one.name))]

    def beside(self, *taken: ColumnSignature) -> list[ColumnSignature]:
        """The other columns, but for what only describes the row."""
        names = {one.name for one in taken}
        return [one for one in self.signatures if one.name not in names and not _META.match(plain(one.name))]

    def cells(self, column: str) -> list[Any]:
        """What stands in a column (or inside its objects), without what is empty."""
        found = (at(row, column) for row in self.rows)
        return [value for value in found if value is not None and not (isinstance(value, str) and not value.strip())]

    def filled(self, column: str) -> float:
        """The share of rows in which a column is not empty."""
        return len(self.cells(column)) / max(1, len(self.rows))

    def words(self, signature: ColumnSignature) -> float:
        """Words of a column's texts, on average."""
        return mean([len(value.split()) for value in self.cells(signature.name) if isinstance(value, str)] or [0])

    def share_standing_in(self, column: str, text: str) -> float:
        """The share of a column's values that stand in the row's text; 0 where they are too short or too long for that."""
        values = [_word(value) for value in self.cells(column)]
        if not values or None in values or len(values) < _FOUND * len(self.rows) / 2:
            return 0.0
        pairs = [(value, row.get(text)) for row in self.rows if (value := _word(at(row, column))) is not None]
        return sum(isinstance(whole, str) and value.casefold() in whole.casefold() for value, whole in pairs) / len(pairs)

    def bodies(self) -> list[ColumnSignature]:
        """The prose columns that are no titles, unless there is nothing else."""
        return [one for one in self.prose if not is_title(one.name)] or self.prose


def _word(value: Any) -> str | None:
    """A short value as it would be written in a text; None for what is too short or too long to be found by chance or at all."""
    written = as_label(value)
    if written is None or len(written) < _SHORTEST_VALUE or len(written.split()) > _VALUE_WORDS:
        return None
    return written


def head_noun(name: str) -> str:
    """What a column's name says that it is: a `harm_category` is a category, a `comment_text` a text."""
    return plain(name).rpartition("_")[2]


def is_title(name: str) -> bool:
    """Whether a column's name is that of a title or of keywords, which stand above a text."""
    return bool(_TITLE.match(plain(name)))


def is_text(signature: ColumnSignature) -> bool:
    """Whether a column holds texts of several words: not keys, not codes."""
    return signature.column_type in _TEXTS and signature.confidence > 0.5


def is_named(signature: ColumnSignature, names: Field | Iterable[str]) -> bool:
    """Whether a column has one of the conventional names."""
    return plain(signature.name) in (names.names if isinstance(names, Field) else tuple(names))


def named(candidates: Iterable[ColumnSignature], field: Field) -> ColumnSignature | None:
    """The candidate with the best conventional name; None where none has one."""
    found = [one for one in candidates if is_named(one, field)]
    return min(found, key=lambda one: field.names.index(plain(one.name))) if found else None


def called(sample: Sample, candidates: Iterable[ColumnSignature], field: Field) -> ColumnSignature | None:
    """The one column of whole texts whose name begins or ends with a conventional one: `correct_answer`, `source_sentence`."""
    texts = [one for one in candidates if one in sample.prose]
    for place in (-1, 0):
        found = [one for one in texts if plain(one.name).split("_")[place] in field.names]
        if len(found) == 1:
            return found[0]
    return None
