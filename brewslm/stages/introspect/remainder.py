"""What a mapping would leave out, and how much that speaks against it: the rest of the columns has to be explained too."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from brewslm.mappers.base import as_list, as_object
from brewslm.mappers.messages import is_message
from brewslm.stages.introspect.columns import FILE_LISTS, ColumnSignature, ColumnType
from brewslm.stages.introspect.sample import Sample, head_noun, is_text, is_title, plain
from brewslm.stages.introspect.shape import DOUBT

DECLARED = frozenset({"label", "labels", "class", "target"})
"""Names that say that a column is what is to be learnt."""
_OPTIONS = frozenset({"choices", "options", "alternatives", "distractors", "endings", "answer_options", "candidates"})
_REPEATS = 0.8
_WORDY, _FILLED = 20, 0.5
_UNEXPLAINED, _MOST_UNEXPLAINED = 0.02, 0.10


@dataclass
class Remainder:
    """What is left out.

    Attributes:
        cost: What it takes from a confidence.
    """

    cost: float = 0.0
    warnings: list[str] = field(default_factory=list)

    def add(self, cost: float, warning: str) -> None:
        """Count one thing more."""
        self.cost += cost
        self.warnings.append(warning)


def remainder(sample: Sample, taken: Iterable[str], *, texts: bool = True, declared: bool = True) -> Remainder:
    """What a mapping leaves out of a sample.

    Args:
        taken: The columns that it reads; of a place in objects (`answers.text`) the column alone counts.
        texts: Whether other texts speak against it.
        declared: Whether a column that is called a label does.
    """
    columns = {name if name in sample.names else name.partition(".")[0] for name in taken}
    rest = [one for one in sample.beside() if one.name not in columns]
    found = Remainder()
    _files(sample, rest, found)
    others = [one for one in rest if _is_talk(sample, one) and not _repeats(sample, one, columns)]
    if others:
        found.add(2 * DOUBT, f"messages are left out: {_names(others)}")
    if texts:
        _texts(sample, rest, columns, found)
    judged = [one for one in rest if one in sample.labels and one.unique_values > 1 and head_noun(one.name) in DECLARED]
    if declared and judged:
        found.add(DOUBT, f"{_names(judged)} could be what is to be learnt, and this mapping leaves it out")
    options = [one for one in rest if plain(one.name) in _OPTIONS or plain(one.name).rstrip("0123456789_") in _distractors()]
    if options:
        found.add(DOUBT, f"there are options to choose from, which this mapping leaves out: {_names(options)}")
    unexplained = [one for one in rest if one in sample.labels and one not in judged and one.unique_values > 1]
    found.cost += min(_MOST_UNEXPLAINED, _UNEXPLAINED * len(unexplained))
    return found


def _distractors() -> frozenset[str]:
    """Options in columns of their own, but for their numbers."""
    return frozenset({"distractor", "option", "choice", "ending"})


def _files(sample: Sample, rest: list[ColumnSignature], found: Remainder) -> None:
    files = [
        one for one in rest if one.column_type in (ColumnType.IMAGE_PATH, ColumnType.AUDIO_PATH) or one.notes[0] == FILE_LISTS
    ]
    if files:
        found.add(2 * DOUBT, f"the rows are about {files[0].name}, which this mapping leaves out")


def _texts(sample: Sample, rest: list[ColumnSignature], columns: set[str], found: Remainder) -> None:
    others = [one for one in rest if one in sample.prose and not is_title(one.name) and not _repeats(sample, one, columns)]
    rich = [one for one in rest if one in sample.lists_and_files() and not _is_talk(sample, one)]
    others += [one for one in rich if _words(sample, one) >= _WORDY and sample.filled(one.name) >= _FILLED]
    if others:
        found.add(DOUBT if len(others) == 1 else 2 * DOUBT, f"other texts are left out: {_names(others)}")


def _words(sample: Sample, signature: ColumnSignature) -> float:
    """Words in the texts of a column's lists and objects, on average: a table or a list of passages has many of them."""
    cells = sample.cells(signature.name)
    return sum(len(piece.split()) for cell in cells for piece in _texts_in(cell)) / max(1, len(cells))


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inside in value if isinstance(value, list) else value.values():
            yield from _texts_in(inside)


def _is_talk(sample: Sample, signature: ColumnSignature) -> bool:
    if signature.column_type is ColumnType.CHAT_MESSAGES:
        return True
    if signature.column_type is not ColumnType.NESTED_JSON:
        return False
    return all(is_message(as_object(cell)) for cell in sample.cells(signature.name))


def _repeats(sample: Sample, signature: ColumnSignature, columns: set[str]) -> bool:
    """Whether all that a column says stands in those that are taken, as a prompt does in its talk."""
    rows = [row for row in sample.rows if row.get(signature.name)]
    said = sum(_says_again(row, signature.name, columns) for row in rows)
    return bool(rows) and said >= _REPEATS * len(rows)


def _says_again(row: dict[str, Any], name: str, columns: set[str]) -> bool:
    whole = "\n".join(piece for column in columns for piece in _pieces(row.get(column)))
    own = list(_pieces(row.get(name)))
    return bool(own) and all(piece in whole for piece in own)


def _pieces(value: Any) -> Iterator[str]:
    """The texts of several words in a cell, also where it is the JSON of a list or an object."""
    held = as_list(value) or as_object(value) or value
    return (text.strip() for text in _texts_in(held) if len(text.split()) > 1)


def _names(signatures: Iterable[ColumnSignature]) -> str:
    return ", ".join(one.name for one in signatures)


def bodies_beside(sample: Sample, *taken: ColumnSignature) -> list[ColumnSignature]:
    """The columns of whole texts, but for titles and for what the taken ones already say."""
    names = {one.name for one in taken}
    beside = [one for one in sample.beside(*taken) if one in sample.prose and is_text(one) and not is_title(one.name)]
    return [one for one in beside if not names or not _repeats(sample, one, names)]
